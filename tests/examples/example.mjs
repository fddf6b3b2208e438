// node example.mjs, with the server running: accounts and verification over plain HTTP, from any language
const server = process.env.MOCK_URL ?? 'http://127.0.0.1:8080';
const control = async (method, path, body) => {
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch(server + path, { method, headers, body: JSON.stringify(body) });
  return response.json();
};

const account = await control('POST', '/_mock/accounts', {});
const { url, owned } = account.vendors.avaamo;
await fetch(`${url}/sms/${owned.channels[0].uuid}/send.json`, {
  method: 'POST',
  body: JSON.stringify({ to_phone: '+1 (415) 555-0123', first_name: 'Jane' }),
});

const verdict = await control('POST', '/_mock/calls/verify', {
  account: account.id,
  operation: 'avaamo.send_sms',
  where: { body: { first_name: 'Jane' } },
  count: { exactly: 1 },
});
console.log(verdict.verified ? 'sent once' : verdict.message);
