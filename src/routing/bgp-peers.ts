import { parsePeerAddress, type BGPPeer } from '../api/kinds/bgp-peer.js';
import { CalicoError } from '../base/errors.js';
import type { Family } from '../net/address.js';
import type { BgpPeerPlan } from '../plan/host-plan.js';
import { compileSelector } from '../selector/evaluate.js';
import { parseSelector } from '../selector/parser.js';
import { type BgpSettings, unusualPort, wholeSeconds } from './bgp-settings.js';
import { addressOf, readAddress, type Speaker } from './bgp-speakers.js';
import { present } from './present.js';

/** All that peers follow from. */
export interface PeerFacts {
  readonly self: Speaker;
  /** By name, this host included. */
  readonly speakers: ReadonlyMap<string, Speaker>;
  readonly settings: BgpSettings;
  /** By name. */
  readonly resources: ReadonlyMap<string, BGPPeer>;
}

/** Somebody to speak with; a speaker when it is a Node of this cluster. */
interface Target {
  readonly address: string;
  readonly family: Family;
  readonly port: number | undefined;
  readonly asNumber: number;
  readonly speaker: Speaker | undefined;
}

type Kind = 'Mesh' | 'Global' | 'Node';
type PeerSpec = BGPPeer['spec'];
type Matches = (speaker: Speaker) => boolean;

const FAMILIES: readonly Family[] = [4, 6];

/**
 * The sessions of this host: those that BGPPeers ask for, from either side, and the mesh with everybody else.
 *
 * @returns peers sorted by name; by `BGPPeer <name>`, what of it could not be done
 */
export function planPeers(facts: PeerFacts): {
  readonly peers: readonly BgpPeerPlan[];
  readonly problems: ReadonlyMap<string, readonly string[]>;
} {
  const explicit = new ExplicitPeers(facts);
  const taken = new Set(explicit.peers.map(({ address }) => address));
  // BIRD can't tell two sessions with one neighbour apart: the one that somebody wrote down wins.
  const mesh = meshPeers(facts).filter(({ address }) => !taken.has(address));
  const peers = [...explicit.peers, ...mesh].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return { peers, problems: explicit.problems };
}

function meshPeers({ self, speakers, settings }: PeerFacts): BgpPeerPlan[] {
  if (!settings.isMeshEnabled || self.clusterId !== undefined) return [];
  const peers: BgpPeerPlan[] = [];
  for (const speaker of speakers.values()) {
    if (speaker.name === self.name || speaker.clusterId !== undefined) continue;
    for (const target of targetsOf(speaker, settings)) {
      const own = addressOf(self, target.family);
      if (own === undefined || own === target.address) continue;
      peers.push(
        present({
          name: peerName('Mesh', target.address),
          address: target.address,
          port: target.port,
          localAsNumber: self.asNumber ?? settings.asNumber,
          asNumber: target.asNumber,
          sourceAddress: own,
          passive: waits(own, target.address),
          nextHop: 'auto' as const,
          maxRestartTimeSeconds: settings.meshRestartTimeSeconds,
        }),
      );
    }
  }
  return peers;
}

/** Of two hosts the one with the lower address, compared as text, waits for the other to call: every host must see it alike. */
function waits(own: string, peer: string): boolean {
  return peer > own;
}

function peerName(kind: Kind, address: string, port?: number): string {
  const name = `${kind}_${address.replace(/[.:]/g, '_')}`;
  return port === undefined ? name : `${name}_port_${port}`;
}

/** A speaker's addresses, one a family. */
function targetsOf(speaker: Speaker, settings: BgpSettings): Target[] {
  return FAMILIES.flatMap((family) => {
    const address = addressOf(speaker, family);
    if (address === undefined) return [];
    const port = settings.listenPort(speaker.name);
    return [{ address, family, port, asNumber: speaker.asNumber ?? settings.asNumber, speaker }];
  });
}

/** What the BGPPeers ask for. Those for all nodes come first; a session asked for twice is made once. */
class ExplicitPeers {
  readonly #facts: PeerFacts;
  readonly #bySession = new Map<string, BgpPeerPlan>();
  readonly #problems = new Map<string, readonly string[]>();

  constructor(facts: PeerFacts) {
    this.#facts = facts;
    const resources = [...facts.resources].toSorted(([a], [b]) => (a < b ? -1 : 1));
    const globals = resources.filter(([, { spec }]) => isGlobal(spec));
    for (const [name, resource] of [...globals, ...resources.filter(([, { spec }]) => !isGlobal(spec))]) {
      const problems: string[] = [];
      try {
        this.#add(resource.spec, problems);
      } catch (error) {
        if (!(error instanceof CalicoError)) throw error;
        problems.push(error.message);
      }
      if (problems.length > 0) this.#problems.set(`BGPPeer ${name}`, problems);
    }
  }

  get peers(): readonly BgpPeerPlan[] {
    return [...this.#bySession.values()];
  }

  get problems(): ReadonlyMap<string, readonly string[]> {
    return this.#problems;
  }

  #add(spec: PeerSpec, problems: string[]): void {
    const isOneSide = sideOf(spec);
    const unbuilt = unbuiltFields(spec);
    if (unbuilt === undefined) {
      if (isOneSide(this.#facts.self)) this.#call(spec, problems);
      if (spec.reversePeering !== 'Manual' && this.#isOtherSide(spec)) this.#callBack(spec, isOneSide);
    } else if (isOneSide(this.#facts.self)) problems.push(unbuilt);
  }

  #call(spec: PeerSpec, problems: string[]): void {
    if (spec.password !== undefined) {
      problems.push('spec.password: passwords from Secrets are not built yet: none is used');
    }
    const targets = this.#targets(spec);
    if (targets === undefined)
      problems.push('spec.asNumber: it is missing, and the peer is no Node: no session is made');
    for (const target of targets ?? []) this.#addSession(isGlobal(spec) ? 'Global' : 'Node', target, spec);
  }

  /** The session from the other end: with every node that was told to call this one. */
  #callBack(spec: PeerSpec, isOneSide: Matches): void {
    const { speakers, settings } = this.#facts;
    const called = readPeer(spec);
    for (const speaker of [...speakers.values()].filter(isOneSide)) {
      for (const target of targetsOf(speaker, settings)) {
        if (called !== undefined && called.family !== target.family) continue;
        const asNumber = spec.localASNumber ?? target.asNumber;
        this.#addSession('Node', { ...target, asNumber }, withoutOwnSide(spec));
      }
    }
  }

  /** Undefined when the AS number is nowhere to be found. */
  #targets(spec: PeerSpec): readonly Target[] | undefined {
    const { speakers, settings } = this.#facts;
    if (isGiven(spec.peerSelector)) {
      const matches = selectorPredicate(spec.peerSelector);
      return [...speakers.values()].filter(matches).flatMap((speaker) => targetsOf(speaker, settings));
    }
    const called = readPeer(spec);
    if (called === undefined) return [];
    const { address, family } = called;
    const known = [...speakers.values()].flatMap((each) => targetsOf(each, settings));
    const node = known.find((target) => target.address === address);
    const asNumber = spec.asNumber ?? node?.asNumber;
    if (asNumber === undefined) return undefined;
    const port = called.port ?? (node?.asNumber === asNumber ? node.port : undefined);
    return [{ address, family, port: unusualPort(port), asNumber, speaker: node?.speaker }];
  }

  /** True when this host is one that others are told to call. */
  #isOtherSide(spec: PeerSpec): boolean {
    const { self } = this.#facts;
    if (isGiven(spec.peerSelector)) return selectorPredicate(spec.peerSelector)(self);
    const called = readPeer(spec);
    return called !== undefined && addressOf(self, called.family) === called.address;
  }

  #addSession(kind: Kind, target: Target, spec: PeerSpec): void {
    const { self } = this.#facts;
    const own = addressOf(self, target.family);
    if (own === undefined || own === target.address || target.speaker?.name === self.name) return;
    const session = `${target.address} ${target.port ?? ''}`;
    if (this.#bySession.has(session)) return;
    this.#bySession.set(session, this.#plan(kind, target, spec, own));
  }

  #plan(kind: Kind, target: Target, spec: PeerSpec, own: string): BgpPeerPlan {
    const { self, settings } = this.#facts;
    const localAsNumber = spec.localASNumber ?? self.asNumber ?? settings.asNumber;
    const isInternal = localAsNumber === target.asNumber;
    const reflects = isInternal && self.clusterId !== undefined && target.speaker?.clusterId !== self.clusterId;
    return present({
      name: peerName(kind, target.address, target.port),
      address: target.address,
      port: target.port,
      localAsNumber,
      asNumber: target.asNumber,
      sourceAddress: spec.sourceAddress === 'None' ? undefined : own,
      passive: kind === 'Global' && target.speaker !== undefined && waits(own, target.address),
      nextHop: nextHop(spec, isInternal),
      routeReflectorClusterId: reflects ? self.clusterId : undefined,
      ttlSecurityHops: spec.ttlSecurity === 0 ? undefined : spec.ttlSecurity,
      maxRestartTimeSeconds: wholeSeconds(spec.maxRestartTime),
      keepaliveTimeSeconds: wholeSeconds(spec.keepaliveTime),
      allowedLocalAsNumbers: spec.numAllowedLocalASNumbers,
      reachableBy: spec.reachableBy,
    });
  }
}

function nextHop(spec: PeerSpec, isInternal: boolean): BgpPeerPlan['nextHop'] {
  if (spec.nextHopMode === 'Self') return 'self';
  if (spec.nextHopMode === 'Keep') return 'keep';
  return spec.keepOriginalNextHop === true && !isInternal ? 'keep' : 'auto';
}

/** The peer's address as it is written, in canonical text. */
function readPeer(spec: PeerSpec): { address: string; family: Family; port: number | undefined } | undefined {
  const written = parsePeerAddress(spec.peerIP ?? '');
  const read = readAddress(written?.address ?? '');
  return read === undefined ? undefined : { ...read, port: written?.port };
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

/** For every node: neither one nor a selection of them is named. */
function isGlobal(spec: PeerSpec): boolean {
  return !isGiven(spec.node) && !isGiven(spec.nodeSelector);
}

/** Which nodes the peer is a peer of. */
function sideOf(spec: PeerSpec): Matches {
  if (isGiven(spec.node)) return ({ name }) => name === spec.node;
  return isGiven(spec.nodeSelector) ? selectorPredicate(spec.nodeSelector) : () => true;
}

function selectorPredicate(selectorText: string): Matches {
  const matches = compileSelector(parseSelector(selectorText));
  return ({ labels }) => matches(labels);
}

/** A session without what was asked for could say more than it should: none is made. */
function unbuiltFields(spec: PeerSpec): string | undefined {
  if ((spec.filters ?? []).length > 0) return 'spec.filters: BGPFilters are not built yet: no session is made';
  if (isGiven(spec.localWorkloadSelector)) {
    return 'spec.localWorkloadSelector: peering with workloads is not built yet: no session is made';
  }
  return undefined;
}

/** The fields that say something of the side that calls, not of the one that is called. */
function withoutOwnSide(spec: PeerSpec): PeerSpec {
  const { localASNumber: _as, reachableBy: _gateway, ...both } = spec;
  return both;
}
