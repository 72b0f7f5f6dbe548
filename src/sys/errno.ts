import { KernelError, type CalicoErrorOptions } from '../base/errors.js';

// asm-generic/errno-base.h, asm-generic/errno.h: position is the number, `?` where there is none.
const ERRNO_NAMES = (
  '? EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ' +
  'ENOMEM EACCES EFAULT ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE ' +
  'EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ' +
  'ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ? ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ' +
  'ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT ? EBFONT ' +
  'ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO ' +
  'EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC ' +
  'EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP ' +
  'EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ' +
  'ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL ' +
  'EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ' +
  'ERFKILL EHWPOISON'
).split(' ');

/** Header name of an errno, e.g. `ENOENT` for 2; `ERRNO_<n>` for one that no header names. */
export function errnoName(errno: number): string {
  if (errno === 524) return 'ENOTSUPP'; // kernel-internal, yet it leaks out of some drivers
  const name = ERRNO_NAMES[errno];
  return name === undefined || name === '?' ? `ERRNO_${errno}` : name;
}

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EAGAIN = 11;
export const EACCES = 13;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const EOPNOTSUPP = 95;
export const EAFNOSUPPORT = 97;
export const EADDRNOTAVAIL = 99;
export const ENOBUFS = 105;

/** A system call that failed (not a kernel reply): `cannot <operation>: <ERRNO>`. */
export function systemCallError(operation: string, errno: number, options: CalicoErrorOptions = {}): KernelError {
  const hint =
    errno === EPERM || errno === EACCES ? { hint: 'run as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN' } : {};
  return new KernelError({ operation, errno, errnoName: errnoName(errno) }, { ...hint, ...options });
}
