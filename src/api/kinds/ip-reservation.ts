import * as v from 'valibot';
import { cidrOrAddress } from '../fields.js';
import { defineKind, type ResourceOf } from '../meta.js';

export const ipReservation = defineKind({
  kind: 'IPReservation',
  plural: 'ipreservations',
  namespaced: false,
  aliases: ['reservation', 'reservations'],
  spec: v.strictObject({ reservedCIDRs: v.exactOptional(v.array(cidrOrAddress())) }),
  examples: {
    valid: { metadata: { name: 'printers' }, spec: { reservedCIDRs: ['192.168.0.0/29', '192.168.1.7'] } },
    wrong: {
      metadata: { name: 'printers' },
      spec: { reservedCIDRs: ['192.168.0.0/29', '192.168.1.0/33'] },
      message: 'spec.reservedCIDRs[1]: "192.168.1.0/33" is neither a CIDR nor an IP address: the prefix is at most 32',
    },
  },
});

export type IPReservation = ResourceOf<typeof ipReservation>;
