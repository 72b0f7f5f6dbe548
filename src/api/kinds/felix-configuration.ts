import * as v from 'valibot';
import { defineKind, type ResourceOf } from '../meta.js';

export const felixConfiguration = defineKind({
  kind: 'FelixConfiguration',
  plural: 'felixconfigurations',
  namespaced: false,
  aliases: ['felixconfig', 'felixconfigs'],
  spec: v.looseObject({}),
  examples: {
    valid: { metadata: { name: 'default' }, spec: { logSeverityScreen: 'Info', reportingInterval: '0s' } },
    wrong: {
      metadata: { name: 'default' },
      spec: { logSeverityScren: 'Info' },
      message: 'spec.logSeverityScren: unknown field',
    },
  },
});

export type FelixConfiguration = ResourceOf<typeof felixConfiguration>;
