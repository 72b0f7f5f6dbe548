import type { Advice } from './advice.js';
import { type Cluster, type Fact, isPolicy } from './cluster.js';
import { dnsAdvice } from './dns.js';
import { dnsServerAdvice } from './dns-servers.js';
import { hostAccessAdvice } from './host-access.js';
import { nearMisses } from './near-miss.js';
import { selectsNothing } from './selects-nothing.js';
import { unreachableAdvice } from './unreachable-rules.js';

/**
 * What somebody should hear before the change is made. Everything said is certain as far as the cluster is known; what is said nowhere may
 * still be wrong.
 *
 * @param before what is stored
 * @param changes valid objects as they will be, without value those that will be gone
 */
export function advise(before: Cluster, changes: readonly Fact[]): readonly Advice[] {
  const after = before.with(changes);
  const written = changes.filter(isPolicy).filter(({ value }) => value !== undefined);
  return [
    ...nearMisses(written, after),
    ...selectsNothing(written, after),
    ...unreachableAdvice(written),
    ...dnsAdvice(before, changes, after),
    ...dnsServerAdvice(before, changes, after),
    ...hostAccessAdvice(before, changes, after),
  ];
}
