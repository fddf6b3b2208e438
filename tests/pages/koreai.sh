curl --location 'https://{{host}}/api/public/bot/st-26d52ba6-7a77-56b2-be4e-a8db1da7e440/outboundsms' \
--header 'Content-Type: application/json;charset=UTF-8' \
--header 'auth: <token>' \
--data '{
    "fromNo": "+19876543210",
    "toNo": "+911234567890"
}'
