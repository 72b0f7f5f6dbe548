import {
  AlreadyExistsError,
  type CalicoError,
  ConflictError,
  NotFoundError,
  UnavailableError,
  ValidationError,
} from '../base/errors.js';

export function isAssignedAlready(address: string): AlreadyExistsError {
  return new AlreadyExistsError('ERR_CALI_IPAM_ASSIGNED', `${address} is assigned already`, {
    hint: `see who holds it with: calicoctl ipam show --ip=${address}`,
  });
}

/** As good as assigned, for a while. */
export function coolsDownStill(address: string, releasedAt: string): AlreadyExistsError {
  return new AlreadyExistsError(
    'ERR_CALI_IPAM_ASSIGNED',
    `${address} is assigned already: it was released at ${releasedAt} and cools down`,
    { hint: 'wait, or see how long with: calicoctl ipam show --show-configuration' },
  );
}

export function isNotAssigned(address: string): NotFoundError {
  return new NotFoundError('ERR_CALI_IPAM_NOT_ASSIGNED', `${address} is not assigned`);
}

export function coolsDown(address: string, releasedAt: string): NotFoundError {
  return new NotFoundError('ERR_CALI_IPAM_COOLDOWN', `${address} is not assigned: it cools down since ${releasedAt}`);
}

export function isInNoPool(address: string): NotFoundError {
  return new NotFoundError('ERR_CALI_IPAM_NO_POOL', `${address} is in no enabled IP pool`, {
    hint: 'see the pools with: calicoctl get ippool -o wide',
  });
}

export function hasNoSuchHandle(handleId: string): NotFoundError {
  return new NotFoundError('ERR_CALI_IPAM_NO_HANDLE', `no address is held by handle "${handleId}"`);
}

export function hasOtherHandle(address: string, expected: string, stored: string | undefined): ConflictError {
  const holder = stored === undefined ? 'nobody by name' : `"${stored}"`;
  return new ConflictError(
    'ERR_CALI_IPAM_OTHER_HANDLE',
    `${address} is not released: it is held by ${holder}, not by "${expected}"`,
  );
}

export function hasOtherSequence(address: string, expected: bigint, stored: bigint | undefined): ConflictError {
  return new ConflictError(
    'ERR_CALI_IPAM_OTHER_SEQUENCE',
    `${address} is not released: it was assigned again since (yours: ${expected}, stored: ${stored ?? 'none'})`,
  );
}

export function belongsToAnother(cidr: string, affinity: string | undefined): ConflictError {
  const owner = affinity === undefined ? 'nobody' : `"${affinity}"`;
  return new ConflictError('ERR_CALI_IPAM_OTHER_AFFINITY', `block ${cidr} belongs to ${owner}`);
}

export function isInUse(cidr: string, used: number): ConflictError {
  return new ConflictError(
    'ERR_CALI_IPAM_BLOCK_IN_USE',
    `block ${cidr} is in use: ${used} of its addresses are assigned`,
  );
}

export function requestIsBad(message: string, hint?: string): CalicoError {
  const issue = { code: 'ipam_request', path: '', message };
  return new ValidationError('ERR_CALI_IPAM_REQUEST', message, [issue], hint === undefined ? {} : { hint });
}

export function isLocked(): UnavailableError {
  return new UnavailableError(
    'ERR_CALI_IPAM_LOCKED',
    'no address is assigned: the datastore is locked (datastoreReady is false)',
    { hint: 'finish what it was locked for, then: calicoctl datastore migrate unlock' },
  );
}
