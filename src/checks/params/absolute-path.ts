import * as z from 'zod';

/** A path of the VM in a policy. */
export const absolutePath = z
  .string()
  .min(1)
  .max(1024)
  .superRefine((path, context) => {
    if (path === '') return;
    if (!path.startsWith('/')) context.addIssue('not an absolute path');
    else if (/\p{Cc}/u.test(path)) context.addIssue('has a control character');
  });
