import type * as v from 'valibot';
import type { Issue } from '../base/errors.js';

/** Read-only all the way down. */
export type DeepReadonly<T> = unknown extends T
  ? T
  : T extends string | number | bigint | boolean | null | undefined
    ? T
    : T extends readonly (infer Item)[]
      ? readonly DeepReadonly<Item>[]
      : { readonly [Field in keyof T]: DeepReadonly<T[Field]> };

export const API_VERSION = 'projectcalico.org/v3';

/** Who an object is: Kubernetes' ObjectMeta, as far as it is used here. Unknown fields that were stored are kept. */
export interface Metadata {
  readonly name: string;
  /** Present exactly on namespaced kinds. */
  readonly namespace?: string;
  /** Version 4 UUID; two objects of one name in a row differ in it. */
  readonly uid?: string;
  /** RFC 3339, seconds. */
  readonly creationTimestamp?: string;
  /** Only in what people read and write; never stored: the store's own revision takes its place. */
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** One object of a kind people write. */
export interface Resource<K extends string = string, Spec = unknown> {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: K;
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly status?: unknown;
}

export type SpecSchema = v.GenericSchema<unknown, object>;

/** An example of a kind's spec, and what is said when one of its rules is broken; documentation and tests use both. */
export interface KindExamples {
  readonly valid: { readonly metadata: Metadata; readonly spec: object };
  readonly wrong: { readonly metadata: Metadata; readonly spec: object; readonly message: string };
}

/** All there is to know about a kind that people write. */
export interface KindDefinition<K extends string = string, Spec = object> {
  readonly kind: K;
  /** Segment of the store's key and of URLs. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Lower-case words that name the kind on the command line, besides kind and plural. */
  readonly aliases: readonly string[];
  /** What people may type: unknown fields are refused. Reading back derives a structural check from it, see `stored-form.ts`. */
  readonly spec: SpecSchema;
  /** What is read back, where that is laxer than the structure of `spec`. */
  readonly storedSpec?: SpecSchema;
  /** Rules on the name; without it, that of a DNS subdomain. Returns what is wrong, or undefined. */
  readonly explainBadName?: (name: string) => string | undefined;
  /** The name of an object that nobody named, where its fields give one; undefined when they do not. */
  nameOf?(spec: Spec): string | undefined;
  /** Rules between fields. Runs only when every field by itself is right. Paths start with `spec.` or `metadata.`. */
  crossFieldRules?(resource: Resource<K, Spec>): readonly Issue[];
  /** Fills in what is stored although nobody wrote it. */
  writeDefaults?(spec: Spec): Spec;
  /** Raises what older versions stored to today's form and fills what may be missing. */
  readUpgrade?(spec: Spec): Spec;
  /** Stored as a bare record, without kind and metadata, its fields spelled in their own way. */
  readonly bareSpec?: {
    toStored(spec: Spec): object;
    fromStored(stored: Readonly<Record<string, unknown>>): object;
  };
  readonly examples: KindExamples;
}

/** States a kind, and lets the compiler infer its types. */
export function defineKind<const K extends string, S extends SpecSchema>(
  definition: KindDefinition<K, DeepReadonly<v.InferOutput<S>>> & { readonly spec: S },
): KindDefinition<K, DeepReadonly<v.InferOutput<S>>> {
  return definition;
}

/** The resource type that a definition stands for. */
export type ResourceOf<D> = D extends KindDefinition<infer K, infer Spec> ? Resource<K, Spec> : never;

/** A kind that IPAM or an agent keeps for itself: stored in a layout of its own, with no metadata. */
export interface InternalKindDefinition<K extends string = string, S extends SpecSchema = SpecSchema> {
  readonly kind: K;
  readonly value: S;
}

export function defineInternalKind<const K extends string, S extends SpecSchema>(
  definition: InternalKindDefinition<K, S>,
): InternalKindDefinition<K, S> {
  return definition;
}

export type InternalValueOf<D> =
  D extends InternalKindDefinition<string, infer S> ? DeepReadonly<v.InferOutput<S>> : never;
