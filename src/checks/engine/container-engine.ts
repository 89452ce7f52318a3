import * as z from 'zod';
import { CannotTell, defineCheck } from '../../check.ts';
import type { Engine } from '../../host/engine/types.ts';
import { isBounded } from './container-rules.ts';
import { broken, type Rule, rulesSchema } from './rules.ts';

const reasons = [
  'tcp_socket',
  'api_incompatible',
  'unbounded_log',
  'insecure_registry',
  'experimental',
  'live_restore_off',
] as const;

/** Numbers of the CIS Docker Benchmark 1.6, as docker-bench-security has them (tests/2_docker_daemon_configuration.sh). */
const cis = (id: string): readonly string[] => [`CIS Docker 1.6 ${id}`];

/** The newest version of the engine's API that aziot-edged asks in: 1.41 since 1.6, 1.34 before (edgelet/docker-rs). */
const edgedApi = 41;

const configuration = '/etc/docker/daemon.json';
const restart = 'then `sudo systemctl restart docker`';

/** In the order in which problems of the same severity are reported. */
const rules: readonly Rule<(typeof reasons)[number], Engine>[] = [
  {
    reason: 'tcp_socket',
    severity: 'fail',
    controls: cis('2.7'),
    judge: ({ file, openApiWarning }) => {
      const hosts = file && !file.tlsVerify ? file.tcpHosts : [];
      if (hosts.length === 0 && openApiWarning === undefined) return undefined;
      const where = hosts.length > 0 ? hosts.slice(0, 4).join(', ') : 'TCP';
      return {
        clause: `answers on ${where} without verifying who asks: whoever reaches it is root on the device`,
        remedy: `Remove tcp:// from "hosts" in ${configuration} and from the options of docker.service, or set "tlsverify", ${restart}`,
      };
    },
  },
  {
    reason: 'api_incompatible',
    severity: 'fail',
    controls: [],
    judge: ({ version, minApiVersion }) =>
      Number(minApiVersion.slice(2)) > edgedApi
        ? {
            clause: `answers no API before ${minApiVersion} (it is ${version}), and IoT Edge asks in 1.${edgedApi} or older`,
            remedy:
              'Install a version that answers 1.41, such as 28: `sudo apt-get install moby-engine=VERSION`, from those that `apt-cache madison moby-engine` lists',
          }
        : undefined,
  },
  {
    reason: 'unbounded_log',
    severity: 'warn',
    controls: [],
    judge: ({ logDriver, file }) =>
      logDriver === 'json-file' && file && !isBounded(file.maxSize)
        ? {
            clause: 'keeps logs of containers without a size limit, unless createOptions set one',
            remedy: `Set "log-driver": "local" in ${configuration}, ${restart}; containers have it once they are created anew`,
          }
        : undefined,
  },
  {
    reason: 'insecure_registry',
    severity: 'warn',
    controls: cis('2.5'),
    judge: ({ insecureRegistries }) =>
      insecureRegistries.length > 0
        ? {
            clause: `pulls from ${insecureRegistries.slice(0, 5).join(', ')} without verified TLS`,
            remedy: `Give the registry a certificate that the device trusts, and remove it from "insecure-registries" in ${configuration}, ${restart}`,
          }
        : undefined,
  },
  {
    reason: 'experimental',
    severity: 'warn',
    controls: cis('2.18'),
    judge: ({ experimental }) =>
      experimental
        ? {
            clause: 'has experimental features switched on',
            remedy: `Remove "experimental" from ${configuration}, ${restart}`,
          }
        : undefined,
  },
  {
    reason: 'live_restore_off',
    severity: 'off',
    controls: cis('2.15'),
    judge: ({ liveRestore }) =>
      liveRestore
        ? undefined
        : {
            clause: 'stops every module whenever it is restarted or updated',
            remedy: `Set "live-restore": true in ${configuration}, then \`sudo systemctl reload docker\``,
          },
  },
];

interface Item {
  readonly target: 'engine';
}

/** Judges the container engine by what it says of itself, and by daemon.json where that is mounted. */
export const containerEngine = defineCheck({
  id: 'containerEngine',
  title: 'The container engine is configured for a device that runs for years',
  params: z.strictObject({ rules: rulesSchema(rules) }),
  uses: ['engine'],
  reasons,

  needs: () => [
    { kind: 'socket', socket: 'engine' },
    { kind: 'path', path: configuration },
  ],

  subjects: (): readonly Item[] => [{ target: 'engine' }],

  async examine(_, params, host, signal) {
    const engine = await host.engine(signal);
    const found = broken(rules, params.rules, engine);
    const [worst, ...also] = found.map(({ clause, ...problem }, i) => {
      const others = found.filter((_, other) => other !== i).map((other) => other.clause);
      const rest = others.length > 0 ? `; it also ${others.join('; it ')}` : '';
      return { ...problem, message: `The container engine ${clause}${rest}` };
    });
    if (worst) return { ...worst, also };
    if (params.rules.unbounded_log !== 'off') requireFile(engine);
    return { status: 'pass', message: `The container engine ${engine.version} breaks no rule` };
  },
});

/** @throws CannotTell where the limit of logs stands in a file that was not given. */
function requireFile({ logDriver, file }: Engine): void {
  if (logDriver !== 'json-file' || file) return;
  const mount = `{ "Type": "bind", "Source": "${configuration}", "Target": "/host${configuration}", "ReadOnly": true }`;
  throw new CannotTell(
    'no_access',
    `Whether logs have a size limit stands in ${configuration}, which is not mounted; nothing else is wrong`,
    { remedy: `Mount it: "HostConfig": { "Mounts": [ ${mount} ] }` },
  );
}
