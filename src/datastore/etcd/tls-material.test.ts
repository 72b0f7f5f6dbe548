import { describe, expect, test } from 'vitest';
import { readTlsMaterial } from './tls-material.js';

const endpoints = ['https://192.0.2.10:2379'];

describe('readTlsMaterial()', () => {
  test.each([
    [{ caCertFile: '/nowhere/ca.pem' }, 'cannot read the CA certificate "/nowhere/ca.pem": ENOENT'],
    [{ cert: 'not PEM', key: 'nor this' }, 'cannot use the client certificate for etcd: no start line'],
    [{ key: 'secret' }, /^cannot use the client key for etcd: (?!.*secret)/],
  ])('refuses %j before anything is connected', (material, message) => {
    expect(() => readTlsMaterial({ endpoints, ...material })).toThrow(message);
  });
});
