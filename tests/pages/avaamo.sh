curl --location --request POST 'https://cx.avaamo.com/sms/3ad87fb7-c43e-4f00-8441-xxxxx/send.json' \
--header 'Content-Type: application/json' \
--data-raw '{
    "first_name": "John",
    "last_name": "Jacob",
    "emp_id": "1234",
    "to_phone": "+1 (xxx) xxx-xxxx"
  }'
