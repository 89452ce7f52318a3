import * as z from 'zod';
import { defineCheck, type Wrong } from '../../check.ts';
import { type SshReason, sshReasons, sshRules } from './ssh-rules.ts';

const rules = z
  .partialRecord(z.enum(sshReasons), z.enum(['off', 'warn', 'fail']))
  .default({})
  .describe(
    `The status of each reason: off, warn or fail. Without it ${sshReasons.map((reason) => `${reason} ${sshRules[reason].severity}`).join(', ')}; for what nobody configured, warn at most.`,
  );

interface Item {
  readonly target: 'sshd';
}

/** Judges sshd's configuration as sshd reads it. */
export const sshSettings = defineCheck({
  id: 'sshSettings',
  title: 'The SSH server accepts only strong keys and algorithms',
  params: z.strictObject({
    version: z
      .string()
      .regex(/^\d{1,3}\.\d{1,3}$/, 'must be a version such as "9.2"')
      .optional()
      .meta({
        description: "OpenSSH's version, where the package database does not tell.",
        examples: ['9.2'],
      }),
    rules,
  }),
  uses: ['sshd'],
  reasons: sshReasons,

  needs: () => [{ kind: 'path', path: '/etc/ssh' }],

  subjects: (): readonly Item[] => [{ target: 'sshd' }],

  async examine(_, params, host, signal) {
    const configuration = await host.sshd(signal);
    const version = configuration.version ?? params.version;
    const found = sshReasons.flatMap((reason) => {
      const { severity, controls, judge } = sshRules[reason];
      const problem = params.rules[reason] === 'off' ? undefined : judge(configuration, version);
      if (!problem) return [];
      const { clause, line, isDefault } = problem;
      const status = params.rules[reason] ?? (isDefault ? 'warn' : severity);
      return status === 'off'
        ? []
        : [{ status, reason, clause, line, ...(controls.length > 0 && { controls }) }];
    });
    const ordered = [
      ...found.filter(({ status }) => status === 'fail'),
      ...found.filter(({ status }) => status === 'warn'),
    ];
    const [worst, ...also] = ordered.map(({ clause, line, ...problem }, i): Wrong<SshReason> => {
      const others = ordered.filter((_, other) => other !== i).map((other) => other.clause);
      const rest = others.length > 0 ? `; it also ${others.join('; it ')}` : '';
      return { ...problem, message: `sshd ${clause}${rest}`, remedy: remedyFor(line) };
    });
    if (worst) return { ...worst, also };
    const which =
      version === undefined ? '; its version is not known, so only what is configured was judged' : '';
    return {
      status: 'pass',
      message: `sshd${version === undefined ? '' : ` ${version}`} is configured well${which}`,
    };
  },
});

const reload =
  'Check it with `sudo sshd -t`, then `sudo systemctl reload ssh` (sshd on Azure Linux and Red Hat)';

const remedyFor = (line: string): string =>
  line === ''
    ? `Remove the line from that Match block, or the block. ${reload}`
    : `Write "${line}" into /etc/ssh/sshd_config.d/10-hardening.conf, or ahead of other lines in sshd_config where that folder is not included. ${reload}`;
