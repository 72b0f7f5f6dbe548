import { type Statement, ctState, dport, markHas, protocol } from '../../nftables/match.js';
import { type Chain, type Rule, chain } from '../../nftables/objects.js';
import { rule } from '../../nftables/rule.js';
import { accept, clearMarkBits, countIn, jump, returnToCaller } from '../../nftables/statements.js';
import type { EndpointPlan, TierPlan } from '../../plan/host-plan.js';
import type { DataplaneSettings } from '../settings.js';
import type { RenderedChain } from './hooks.js';
import type { Marks } from './marks.js';
import {
  CALICO_TABLE,
  type Direction,
  endOfProfilesCounter,
  endOfTierCounter,
  endpointChainName,
  policyChainName,
  tierChainName,
} from './names.js';

/** A tier in one direction: the same for all endpoints to which the same of its policies apply. */
export interface TierSpec {
  readonly name: string;
  readonly direction: Direction;
  readonly tier: string;
  readonly policies: readonly string[];
  readonly defaultAction: 'deny' | 'pass';
}

/** All that an endpoint does in one direction. Endpoints with the same content share the chain. */
export interface EndpointSpec {
  readonly name: string;
  readonly direction: Direction;
  readonly tiers: readonly TierSpec[];
  readonly profiles: readonly string[];
}

export interface EndpointContext {
  readonly settings: DataplaneSettings;
  readonly marks: Marks;
  readonly deny: Statement;
  /** False for a policy that is not in the plan: it then lets nothing through. */
  hasPolicy(policyId: string): boolean;
  canPass(policyId: string, direction: Direction): boolean;
}

function tierSpec(plan: TierPlan, direction: Direction): TierSpec {
  const policies = plan[direction];
  const content = JSON.stringify([plan.name, policies, plan.defaultAction]);
  const name = tierChainName(direction, plan.name, content);
  return { name, direction, tier: plan.name, policies, defaultAction: plan.defaultAction };
}

/** What the endpoint's chain is made of; a tier without policies in the direction takes no part. */
export function endpointSpec(plan: EndpointPlan, direction: Direction): EndpointSpec {
  const tiers = plan.tiers.filter((tier) => tier[direction].length > 0).map((tier) => tierSpec(tier, direction));
  const content = JSON.stringify([tiers.map(({ name }) => name), plan.profiles]);
  return { name: endpointChainName(direction, content), direction, tiers, profiles: plan.profiles };
}

function denial(context: EndpointContext, counter: string): readonly Statement[] {
  return [countIn(counter), context.deny];
}

/** A jump to the policy's chain; a policy that is not there denies. */
function intoPolicy(policyId: string, direction: Direction, context: EndpointContext): readonly Statement[] {
  return context.hasPolicy(policyId) ? [jump(policyChainName(direction, policyId))] : [context.deny];
}

/** Policies in order; one that can Pass is followed by a way out of the tier; then the tier's default. */
export function renderTier(spec: TierSpec, context: EndpointContext): RenderedChain {
  const { direction } = spec;
  const of = chain(CALICO_TABLE, spec.name);
  const passing = new Set(spec.policies.filter((id) => context.canPass(id, direction)));
  const lists: (readonly Statement[])[] = [];
  if (passing.size > 0) lists.push([clearMarkBits(context.marks.pass)]);
  for (const id of spec.policies) {
    lists.push(intoPolicy(id, direction, context));
    if (passing.has(id)) lists.push([markHas(context.marks.pass), returnToCaller]);
  }
  if (spec.defaultAction === 'deny') lists.push(denial(context, endOfTierCounter(direction, spec.tier)));
  return toChain(of, lists);
}

/** Connection state, then the tiers, then the profiles, then the end of it. */
export function renderEndpoint(spec: EndpointSpec, context: EndpointContext): RenderedChain {
  const { direction } = spec;
  const of = chain(CALICO_TABLE, spec.name);
  const lists: (readonly Statement[])[] = [[ctState(['established', 'related']), accept]];
  if (!context.settings.disableConntrackInvalidCheck) lists.push([ctState(['invalid']), context.deny]);
  if (direction === 'egress') lists.push(...tunnelDenials(context));
  for (const tier of spec.tiers) lists.push([jump(tier.name)]);
  for (const id of spec.profiles) lists.push(intoPolicy(id, direction, context));
  lists.push(denial(context, endOfProfilesCounter(direction)));
  return toChain(of, lists);
}

/** A workload that could send encapsulated packets to a host's tunnel would speak for any other workload. */
function tunnelDenials({ settings, deny }: EndpointContext): readonly (readonly Statement[])[] {
  const lists: (readonly Statement[])[] = [];
  if (!settings.allowVxlanFromWorkloads) lists.push([protocol('udp'), dport(undefined, settings.vxlanPort), deny]);
  if (!settings.allowIpipFromWorkloads) lists.push([protocol(4), deny]);
  return lists;
}

function toChain(of: Chain, lists: readonly (readonly Statement[])[]): RenderedChain {
  const rules: readonly Rule[] = lists.map((statements) => rule(of, statements));
  return { chain: of, rules };
}
