import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withoutSecrets } from './secrets.js';

describe('withoutSecrets()', () => {
  test.each([
    ['  password "s3cret";', '  password ***;'],
    ['ETCD_PASSWORD=s3cret', 'ETCD_PASSWORD=***'],
    ['{"password":"s3\\"cret","user":"root"}', '{"password":***,"user":"root"}'],
    ['etcdPassword: s3cret', 'etcdPassword: ***'],
    ['http://root:s3cret@192.0.2.1:2379', 'http://root:***@192.0.2.1:2379'],
    ['Authorization: Bearer s3cret', 'Authorization: Bearer ***'],
    ['{"Authorization": "Basic s3cret"}', '{"Authorization": "Basic ***"}'],
    ['k8sAPIToken: "s3cret"', 'k8sAPIToken: ***'],
    ['--token=s3cret --name x', '--token=*** --name x'],
    [
      '-----BEGIN EC PRIVATE KEY-----\ns3cret\n-----END EC PRIVATE KEY-----\nafter',
      '-----BEGIN EC PRIVATE KEY-----\n***\nafter',
    ],
    ['-----BEGIN PRIVATE KEY-----\ns3cret', '-----BEGIN PRIVATE KEY-----\n***'],
  ])('%j', (text, clean) => {
    expect(withoutSecrets(text)).toBe(clean);
  });

  test('leaves everything else alone', () => {
    const text = 'tcp dport 179 accept # the password is in the file\nETCD_KEY_FILE=/etc/calico/node.key\n';
    expect(withoutSecrets(text)).toBe(text);
  });

  test('never lets a word through that stands where a secret stands', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9+/=_.-]{12,40}$/), (word) => {
        for (const form of [`password "${word}"`, `password: ${word}`, `TOKEN=${word}`, `"secret": "${word}"`]) {
          expect(withoutSecrets(form)).not.toContain(word);
        }
      }),
    );
  });
});
