import { moduleHealth } from '../../../src/checks/edge/module-health.ts';
import type { EdgeModule, EdgeModules, RuntimeComponent } from '../../../src/host/edge/types.ts';
import { type Finding, runCheck } from '../../../src/run/runner.ts';
import { createCheckMemory } from '../../../src/state/check-memory.ts';
import { fakeHost } from '../../support/fixtures/fake-host.ts';

/** How a module behaves once it is started. */
interface Behaviour {
  /** Ends after so many seconds; runs for ever without it. */
  readonly runSeconds?: number;
  readonly code?: number;
  readonly policy?: 'on-unhealthy' | 'always';
}

interface Container {
  readonly name: string;
  version: number;
  behaviour: Behaviour;
  desired: 'running' | 'stopped';
  state: EdgeModule['state'];
  startedAt: Date | undefined;
  exit: EdgeModule['exit'];
  /** Moments of the true time. */
  startedTrue: number;
  exitedTrue: number;
  tries: number;
  instance: number;
}

const reconcileSeconds = 5;
const watchdogSeconds = 60;

/**
 * A device whose modules are kept running as edgeAgent's planner does it (HealthRestartPlanner.cs, RestartPolicyManager.cs), and
 * edgeAgent as aziot-edged's watchdog does. Time is that of a clock nobody sees; the device's own clock may be wrong.
 */
export function createDevice(names: readonly string[], from = Date.parse('2026-11-01T00:00:00Z')) {
  let time = 0;
  let offset = 0;
  let bootedAt = -86_400;
  let agentMemory = createCheckMemory({ now: wall });
  let cached: { readonly at: number; readonly listing: EdgeModules } | undefined;
  const leftOut = new Set<string>();
  let lacked: readonly string[] = [];
  let listingFails = false;
  let pagesFail = false;

  function wall(): Date {
    return new Date(from + (time + offset) * 1000);
  }

  const containers = new Map<string, Container>();
  for (const name of names) containers.set(name, deploy(name));

  function deploy(name: string, version = 1): Container {
    const container: Container = {
      name,
      version,
      behaviour: {},
      desired: 'running',
      state: 'stopped',
      startedAt: undefined,
      exit: undefined,
      startedTrue: 0,
      exitedTrue: 0,
      tries: 0,
      instance: 0,
    };
    start(container);
    return container;
  }

  function start(container: Container): void {
    container.state = 'running';
    container.startedAt = wall();
    container.startedTrue = time;
    container.instance += 1;
    // The engine sets the code to 0; the time of the exit stays.
    if (container.exit) container.exit = { at: container.exit.at, code: 0 };
  }

  function end(container: Container, code: number): void {
    if (time - container.startedTrue > 600) container.tries = 0;
    container.state = code === 0 ? 'stopped' : 'failed';
    container.exit = { at: wall(), code };
    container.exitedTrue = time;
  }

  function reconcile(container: Container): void {
    const { behaviour, state, name } = container;
    if (state === 'running') {
      const { runSeconds, code = 1 } = behaviour;
      if (runSeconds !== undefined && time - container.startedTrue >= runSeconds) end(container, code);
      return;
    }
    if (container.desired === 'stopped' || state === 'dead') return;
    if (name === 'edgeAgent') {
      if (time - container.exitedTrue >= watchdogSeconds) start(container);
    } else if (state === 'stopped' && behaviour.policy !== 'always') {
      start(container);
    } else if (
      container.tries < 20 &&
      time - container.exitedTrue >= Math.min(10 * 2 ** container.tries, 300)
    ) {
      container.tries += 1;
      start(container);
    }
  }

  /** Whether it ends or is started some time. */
  const isUnsettled = ({ state, behaviour, desired }: Container): boolean =>
    state === 'running' ? behaviour.runSeconds !== undefined : state !== 'dead' && desired === 'running';

  const get = (name: string): Container => {
    const container = containers.get(name);
    if (!container) throw new Error(`There is no module ${name}`);
    return container;
  };

  const list = (): EdgeModules => ({
    listedAt: wall(),
    uptimeSeconds: time - bootedAt,
    modules: [...containers.values()]
      .filter(({ name }) => !leftOut.has(name))
      .map(({ name, version, state, startedAt, exit }) => ({
        name,
        image: `registry.test/${name}:${version}`,
        imageHash: `sha256:${name}${version}`,
        labelsHash: `labels${version}`,
        state,
        startedAt,
        exit,
      })),
  });

  return {
    get time() {
      return time;
    },
    get names() {
      return [...containers.keys()];
    },
    /** Lets so many seconds pass. */
    pass(seconds: number) {
      const until = time + seconds;
      while (time < until && [...containers.values()].some(isUnsettled)) {
        time = Math.min(until, (Math.floor(time / reconcileSeconds) + 1) * reconcileSeconds);
        if (time % reconcileSeconds === 0) for (const container of containers.values()) reconcile(container);
      }
      time = until;
    },
    behave(name: string, behaviour: Behaviour) {
      get(name).behaviour = behaviour;
    },
    crash(name: string, code = 1) {
      end(get(name), code);
    },
    /** Ends and starts at once. */
    restart(name: string) {
      end(get(name), 143);
      start(get(name));
    },
    stop(name: string, code = 143) {
      get(name).desired = 'stopped';
      end(get(name), code);
    },
    kill(name: string) {
      get(name).state = 'dead';
    },
    remove(name: string) {
      containers.delete(name);
    },
    update(name: string) {
      containers.set(name, deploy(name, get(name).version + 1));
    },
    /** edged stops every module; they are started one after another. */
    renew() {
      for (const container of containers.values()) end(container, 143);
      for (const container of containers.values()) {
        time += 2;
        container.tries = 0;
        start(container);
      }
    },
    /** The machine is off for so long, and its modules come up one after another within a few minutes. */
    reboot(offSeconds: number) {
      time += offSeconds;
      bootedAt = time;
      for (const container of containers.values()) {
        if (container.state === 'running') end(container, 255);
        container.tries = container.name === 'edgeAgent' ? 0 : 4;
      }
    },
    /** The clock is set. */
    step(seconds: number) {
      offset += seconds;
    },
    /** The modules that the last list lacked. */
    get leftOut() {
      return lacked;
    },
    leaveOut(...left: string[]) {
      leftOut.clear();
      for (const name of left) leftOut.add(name);
    },
    failListing(fails: boolean) {
      listingFails = fails;
    },
    failPages(fails: boolean) {
      pagesFail = fails;
    },
    /** The component's process starts again in its container. */
    newInstance(name: RuntimeComponent) {
      get(name).instance += 1;
    },
    /** The agent starts again, with what it saved. */
    restartAgent() {
      cached = undefined;
      agentMemory = createCheckMemory({
        now: wall,
        saved: JSON.parse(JSON.stringify(agentMemory.snapshot())),
      });
    },
    /** The bytes of what the check remembers. */
    remembered: () => JSON.stringify(agentMemory.recall('moduleHealth')).length,
    /** One run of the check. */
    async look(policy: object = {}): Promise<readonly Finding[]> {
      const host = fakeHost({
        now: wall,
        memory: agentMemory,
        modules: async () => {
          if (cached && time - cached.at < 60) return cached.listing;
          cached = undefined;
          if (listingFails) throw new Error('The listing failed');
          cached = { at: time, listing: list() };
          lacked = [...leftOut];
          return cached.listing;
        },
        runtimeMetrics: async (component) => {
          if (pagesFail) throw new Error('The page cannot be read');
          return { readAt: wall(), instance: `${component} ${get(component).instance}`, samples: [] };
        },
      });
      const { signal } = new AbortController();
      return (await runCheck(moduleHealth, moduleHealth.params.parse(policy), host, 5, signal)).findings;
    },
  };
}

/** The findings that a person would be told about. */
export const alarmsIn = (findings: readonly Finding[]): readonly string[] =>
  findings
    .filter(({ status }) => status === 'warn' || status === 'fail')
    .map(({ target, status, reason }) => `${target} ${status} ${reason}`);
