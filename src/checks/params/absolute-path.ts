import * as z from 'zod';

/** A path of the VM in a policy. */
export const absolutePath = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^\/[^\0\n]*$/, { error: 'not an absolute path' });
