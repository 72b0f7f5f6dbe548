import * as v from 'valibot';
import { canonicalPrefix } from '../../net/prefix.js';
import { cidrOrAddress } from '../fields.js';
import { defineV1Kind } from './kind.js';
import { poolName } from './names.js';
import { given } from './rules.js';

type Ipip = { readonly enabled?: boolean; readonly mode?: string };

function ipipMode({ enabled = false, mode }: Ipip): string {
  if (!enabled) return 'Never';
  return mode === 'cross-subnet' ? 'CrossSubnet' : 'Always';
}

export const ipPoolOfV1 = defineV1Kind({
  kind: 'ipPool',
  becomes: 'IPPool',
  metadata: v.strictObject({ cidr: cidrOrAddress() }),
  spec: v.strictObject({
    ipip: v.exactOptional(
      v.strictObject({
        enabled: v.exactOptional(v.boolean()),
        mode: v.exactOptional(v.picklist(['', 'always', 'cross-subnet'])),
      }),
    ),
    'nat-outgoing': v.exactOptional(v.boolean()),
    disabled: v.exactOptional(v.boolean()),
  }),
  convert({ metadata, spec }) {
    const cidr = canonicalPrefix(metadata.cidr);
    return {
      metadata: { name: poolName(cidr) },
      spec: given({
        cidr,
        ipipMode: ipipMode(spec.ipip ?? {}),
        natOutgoing: spec['nat-outgoing'] === true ? true : undefined,
        disabled: spec.disabled === true ? true : undefined,
      }),
    };
  },
});
