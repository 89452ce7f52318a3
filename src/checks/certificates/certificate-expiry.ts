import * as z from 'zod';
import { defineCheck } from '../../check.ts';
import { warnsFirst } from '../params/thresholds.ts';
import { judgeCertificates } from './expiry-verdict.ts';
import { examineFile, examineFiles } from './files.ts';
import { certificatePlaces, needsOf } from './places.ts';
import { certificateSubjects } from './subjects.ts';

const params = z
  .strictObject({
    ...certificatePlaces(['edgehub', 'iothub']),
    warnDays: z.number().min(0).max(3650).default(30).describe('Warns when fewer days are left.'),
    failDays: z.number().min(0).max(3650).default(7).describe('Fails when fewer days are left.'),
    renewAtFraction: z
      .number()
      .gt(0)
      .max(1)
      .default(0.8)
      .describe('The fraction of its lifetime after which a certificate should have been renewed.'),
  })
  .refine(...warnsFirst('warnDays', 'below', 'failDays'));

/** Checks the dates of each certificate: in certd's files, and as edgeHub, IoT Hub and other servers present them. */
export const certificateExpiry = defineCheck({
  id: 'certificateExpiry',
  title: 'No certificate is expired, about to expire or overdue for renewal',
  params,
  uses: ['certificates', 'findFiles', 'modules', 'presentedChain'],
  reasons: ['expired', 'not_yet_valid', 'expires_soon', 'renewal_overdue', 'unreachable'],
  gauges: {
    certificate_not_after_timestamp_seconds: {
      help: 'When the certificate expires, as a Unix timestamp.',
      labels: ['target', 'subject'],
    },
    certificate_not_before_timestamp_seconds: {
      help: 'When the certificate becomes valid, as a Unix timestamp.',
      labels: ['target', 'subject'],
    },
  },

  needs: (places) => needsOf(places),
  subjects: (places, host, signal) => certificateSubjects(places, host, signal),

  async examine(subject, { warnDays, failDays, renewAtFraction }, host, signal) {
    const limits = { now: host.now(), warnDays, failDays, renewAtFraction };
    const { target } = subject;
    switch (subject.kind) {
      case 'none':
        throw subject.why;
      case 'endpoint': {
        const { certificates } = await host.presentedChain(subject.endpoint, signal);
        return judgeCertificates(certificates, { target, origin: subject.origin }, limits);
      }
      case 'file':
        return examineFile(subject, host, signal, (certificates) =>
          judgeCertificates(certificates, { target, origin: 'file' }, limits),
        );
      case 'files':
        return examineFiles(subject, host, signal, (certificates, path) =>
          judgeCertificates(certificates, { target: path, origin: 'file' }, limits),
        );
    }
  },
});
