// Loaded into every Node.js program that `exec --intercept` starts. Most of Node's HTTP clients
// ignore proxies, so connections to Adobe's names are made to the emulator here, below all of them.
// The emulator finds the name in the TLS handshake, or in the Host header.
'use strict';
const net = require('node:net');

const [host, port] = process.env.CLOUDMANAGER_EMULATOR_INTERCEPT.split(' ');
const names = new Set(process.env.CLOUDMANAGER_EMULATOR_NAMES.split(' '));
const { connect } = net.Socket.prototype;

net.Socket.prototype.connect = function (...args) {
  const normalized = Array.isArray(args[0]) ? args[0] : net._normalizeArgs(args);
  const options = normalized[0];
  if (names.has(String(options.host).toLowerCase())) {
    normalized[0] = { ...options, host, port: Number(port) };
  }
  return connect.call(this, normalized);
};
