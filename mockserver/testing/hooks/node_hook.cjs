'use strict';
// Loaded by Node through NODE_OPTIONS=--require: connections to the vendors' hosts lead to a mockserver. Node 12 and later.
const fs = require('fs');
const net = require('net');
const os = require('os');

const reach = JSON.parse(process.env.MOCKSERVER_REACH || '{"hosts": []}');
const hosts = new Set(reach.hosts);
const isOurs = (host) => typeof host === 'string' && hosts.has(host.toLowerCase().replace(/\.$/, ''));
const led = (options) => ({ ...options, host: reach.host, port: reach.port, lookup: undefined });

const seen = new Set([os.hostname().toLowerCase(), ...(reach.passed || [])]);
const note = ({ host, port }) => {
  const name = typeof host === 'string' ? host.toLowerCase().replace(/\.$/, '') : '';
  if (!reach.others || !name || name.startsWith('127.') || seen.has(name)) return;
  seen.add(name);
  try {
    fs.appendFileSync(reach.others, `${name}:${port}\n`);
  } catch {
    // the run is over, or its files are not for this user: the program goes on
  }
};

// net.connect and tls.connect hand over [options, callback] as one array; a program that uses a socket itself gives
// (options, callback) or (port, host, callback). TLS has taken the host's name by then, so it is still asked for.
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const [first, second] = args;
  if (Array.isArray(first) && first[0]) {
    if (isOurs(first[0].host)) first[0] = led(first[0]); // the array carries a mark of Node's own, and is kept
    else note(first[0]);
  } else if (first !== null && typeof first === 'object') {
    if (isOurs(first.host)) args[0] = led(first);
    else note(first);
  } else if (isOurs(second)) {
    args.splice(0, 2, led({}));
  } else {
    note({ host: second, port: first });
  }
  return connect.apply(this, args);
};
