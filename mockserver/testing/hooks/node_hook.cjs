'use strict';
// Loaded by Node through NODE_OPTIONS=--require: connections to the vendors' hosts lead to a mockserver. Node 12 and later.
const net = require('net');

const reach = JSON.parse(process.env.MOCKSERVER_REACH || '{"hosts": []}');
const hosts = new Set(reach.hosts);
const isOurs = (host) => typeof host === 'string' && hosts.has(host.toLowerCase().replace(/\.$/, ''));
const led = (options) => ({ ...options, host: reach.host, port: reach.port, lookup: undefined });

// net.connect and tls.connect hand over [options, callback] as one array; a program that uses a socket itself gives
// (options, callback) or (port, host, callback). TLS has taken the host's name by then, so it is still asked for.
const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const [first, second] = args;
  if (Array.isArray(first) && first[0] && isOurs(first[0].host)) {
    first[0] = led(first[0]); // the array carries a mark of Node's own, and is kept
  } else if (first !== null && typeof first === 'object' && isOurs(first.host)) {
    args[0] = led(first);
  } else if (isOurs(second)) {
    args.splice(0, 2, led({}));
  }
  return connect.apply(this, args);
};
