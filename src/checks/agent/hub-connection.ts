import * as z from 'zod';
import { CannotTell, defineCheck } from '../../check.ts';
import type { HubDetail, HubProblem, HubTrouble } from '../../host/agent/types.ts';
import { warnsFirst } from '../params/thresholds.ts';

const minutes = z.number().min(0).max(10_080);

const remedies: Readonly<Record<HubProblem['reason'], string>> = {
  offline:
    'Check that edgeHub is running with `sudo iotedge list`, and read its log: `sudo iotedge logs edgeHub --tail 100`',
  not_authorized:
    'Check the clock of the device, then restart this module so that it signs in again: `sudo iotedge restart hardening` (or its ' +
    'name in the deployment). If it is refused again, check that the module exists in IoT Hub',
  certificate_rejected:
    'Restart edgeHub, so that it gets a new certificate from the CA of this device: `sudo iotedge restart edgeHub`. If that is ' +
    'rejected, too, read what the device trusts with `sudo iotedge check`',
  workload_api_failed:
    'Read the log of the IoT Edge runtime with `sudo iotedge system logs`, then restart it: `sudo iotedge system restart`',
};

const troubleRemedies: Readonly<Record<HubTrouble['use'], string>> = {
  twin: 'Check that this device reaches IoT Hub, from which edgeHub gets the twin: `sudo iotedge check`',
  reports: 'Read the cause in the log of edgeHub: `sudo iotedge logs edgeHub --tail 100`',
  messages:
    'Check that the disk on which edgeHub stores messages has space, with `df -h /var/lib`, and read its log: `sudo iotedge logs edgeHub --tail 100`',
};

const detailRemedies: Readonly<Record<HubDetail, string>> = {
  wrong_name:
    'Compare the name with `hostname` in /etc/aziot/config.toml: `sudo grep hostname /etc/aziot/config.toml`. Correct it, then ' +
    '`sudo iotedge config apply`; if it is right, restart edgeHub so that its certificate is for it: `sudo iotedge restart edgeHub`',
  wrong_time:
    'Check the clock of the device with `timedatectl`, then restart edgeHub so that it gets a new certificate: `sudo iotedge restart edgeHub`',
  unavailable:
    'Read why in the log of edgeHub: `sudo iotedge logs edgeHub --tail 100`. If it has too many clients, raise "MaxConnectedClients" ' +
    'in the environment of edgeHub in the deployment',
  no_twin: troubleRemedies.twin,
  no_messages: troubleRemedies.messages,
  throttled:
    'Raise "report.minIntervalSeconds" in the policy: IoT Hub accepts fewer updates of the twin than are sent',
};

const oneInstance =
  'Stop the other instance: look for a second deployment or device with the same device and module id, with `sudo iotedge list` there. If there is none, read why edgeHub restarts: `sudo iotedge logs edgeHub --tail 100`';

/** Whether reports and alerts reach edgeHub and policies arrive, and for how long they have not. */
export const hubConnection = defineCheck({
  id: 'hubConnection',
  title: 'The agent is connected to edgeHub',
  params: z
    .strictObject({
      warnMinutes: minutes
        .default(5)
        .describe('Warns after so many minutes without a connection, or with one that does not fully work.'),
      failMinutes: minutes.default(60).describe('Fails after so many.'),
    })
    .refine(...warnsFirst('warnMinutes', 'above', 'failMinutes')),
  uses: ['hubLink', 'watchHub'],
  reasons: ['offline', 'not_authorized', 'certificate_rejected', 'workload_api_failed'],
  needs: () => [],
  subjects: (_params, { names }) => [{ target: names.gateway ?? 'edgeHub' }],
  async examine({ target }, { warnMinutes, failMinutes }, host) {
    const link = host.hubLink();
    if (!link)
      throw new CannotTell(
        'not_applicable',
        'Not connected to edgeHub: this is standalone mode or the command line',
      );
    const { connected, problem, takeover, troubles = [] } = link;
    const [longest] = troubles;
    const awaySeconds = connected ? 0 : link.seconds;
    const seconds = Math.max(awaySeconds, longest?.seconds ?? 0);
    if (takeover !== undefined && seconds < failMinutes * 60) {
      const message = [takeover, ...troubles.map((each) => each.message)].join('; ');
      return { status: 'warn', reason: 'offline', message, remedy: oneInstance };
    }
    const state = connected
      ? `Connected to edgeHub on ${target}`
      : `No connection to edgeHub on ${target} for ${inMinutes(awaySeconds)}`;
    if (connected && !longest) return { status: 'pass', message: state };
    const also = connected ? 'but' : 'and';
    const since = seconds > awaySeconds ? `, ${also} not fully working for ${inMinutes(seconds)}` : '';
    const why = problem?.message ?? troubles.map(({ message }) => message).join('; ');
    const message = `${state}${since}${why && `: ${why}`}`;
    if (seconds < warnMinutes * 60) return { status: 'pass', message };
    const reason = problem?.reason ?? 'offline';
    return {
      status: seconds < failMinutes * 60 ? 'warn' : 'fail',
      reason,
      message,
      remedy: connected
        ? [...new Set(troubles.map(troubleRemedy))].join('. ')
        : problemRemedy(problem ?? { reason }),
    };
  },
  trigger: (host, runNow, signal) => host.watchHub(runNow, signal),
});

const problemRemedy = ({ reason, detail }: Pick<HubProblem, 'reason' | 'detail'>): string =>
  detail ? detailRemedies[detail] : remedies[reason];

const troubleRemedy = ({ use, detail }: HubTrouble): string =>
  detail ? detailRemedies[detail] : troubleRemedies[use];

const inMinutes = (seconds: number): string =>
  seconds < 120 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min`;
