import * as v from 'valibot';
import { defineInternalKind, type InternalValueOf } from '../meta.js';

/**
 * What an agent reports of its host and of the endpoints on it. Its name is the part of the key after `/calico/felix/`:
 * `v2/no-region/host/calico-01/status`.
 */
export const felixStatus = defineInternalKind({
  kind: 'FelixStatus',
  value: v.looseObject({
    /** Of a host: RFC 3339, when this was written. */
    time: v.exactOptional(v.string()),
    /** Of a host: for how many seconds its agent has been running. */
    uptime: v.exactOptional(v.number()),
    /** Of a host: the first report since its agent started. */
    first_update: v.exactOptional(v.boolean()),
    /** Of an endpoint: up, down or error. */
    status: v.exactOptional(v.string()),
  }),
});

export type FelixStatus = InternalValueOf<typeof felixStatus>;
