import type { Directive } from '../../../src/host/ssh/types.ts';
import type { Sample } from '../../support/fixtures/samples.ts';

const device = (...lines: string[]) => ({
  sshd: async () => ({
    version: '9.2',
    hostKeys: [],
    directives: lines.map((line): Directive => {
      const [keyword = '', ...values] = line.split(' ');
      return { keyword: keyword.toLowerCase(), values };
    }),
  }),
});

export const sample: Sample = {
  check: 'sshSettings',
  good: {
    host: device(
      'PermitRootLogin no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'MACs hmac-sha2-512-etm@openssh.com',
    ),
  },
  bad: { host: device('PermitRootLogin yes'), status: 'fail', reason: 'root_login' },
};
