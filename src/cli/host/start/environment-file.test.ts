import { expect, test } from 'vitest';
import { environmentFileText } from './environment-file.js';

test('environmentFileText() escapes what means something within double quotes, and no more', () => {
  const variables = { NODENAME: 'calico-01', ETCD_PASSWORD: 'a"b\\c$d`e 50%\'', IP: '' };
  expect(environmentFileText(variables)).toBe(
    ['NODENAME="calico-01"', 'ETCD_PASSWORD="a\\"b\\\\c\\$d\\`e 50%\'"', 'IP=""', ''].join('\n'),
  );
});
