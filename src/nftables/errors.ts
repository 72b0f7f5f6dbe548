import { CalicoError } from '../base/errors.js';

/** Text that is no value of the datatype a set or match takes. */
export function invalidValue(datatype: string, text: string): CalicoError {
  return new CalicoError('ERR_CALI_NFT_VALUE', `"${text}" is not a value of type ${datatype}`);
}

/** An object that cannot be sent as it is; `object` is printed as nft would. */
export function invalidObject(object: string, why: string): CalicoError {
  return new CalicoError('ERR_CALI_NFT_OBJECT', `${object}: ${why}`);
}
