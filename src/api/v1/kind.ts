import type * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import type { PublicKind } from '../registry.js';

/** A resource of today: well-formed, though it may break rules between fields. */
export interface ConvertedResource {
  readonly apiVersion: 'projectcalico.org/v3';
  readonly kind: PublicKind;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

/** What a kind's conversion says: the resource, or why there is none. Paths are those of the v1 object. */
export type KindConversion =
  | { readonly metadata: ConvertedResource['metadata']; readonly spec: object }
  | { readonly refusals: readonly Issue[] };

/** What a v1 object says of itself, read by the schemas of its kind. */
export interface V1Object<Metadata, Spec> {
  readonly metadata: Metadata;
  readonly spec: Spec;
}

/** A kind of the first API. */
export interface V1Kind {
  /** As it is written: `ipPool`. */
  readonly kind: string;
  readonly becomes: PublicKind;
  readonly metadata: v.GenericSchema<unknown, object>;
  readonly spec: v.GenericSchema<unknown, object>;
  /** Hands on what the two schemas gave. */
  convert(object: V1Object<object, object>): KindConversion;
}

/** States a kind, with its conversion typed by its schemas. */
export function defineV1Kind<
  M extends v.GenericSchema<unknown, object>,
  S extends v.GenericSchema<unknown, object>,
>(definition: {
  readonly kind: string;
  readonly becomes: PublicKind;
  readonly metadata: M;
  readonly spec: S;
  convert(object: V1Object<v.InferOutput<M>, v.InferOutput<S>>): KindConversion;
}): V1Kind {
  return {
    ...definition,
    convert: (object) => definition.convert(object as V1Object<v.InferOutput<M>, v.InferOutput<S>>),
  };
}
