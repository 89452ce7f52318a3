import * as z from 'zod';
import { defineCheck } from '../../check.ts';
import type { Container, Engine } from '../../host/engine/types.ts';
import { containerReasons, containerRules, type Judged } from './container-rules.ts';
import { broken, rulesSchema } from './rules.ts';
import { runtimeNeeds } from './runtime-needs.ts';

interface Item extends Judged {
  readonly target: string;
}

/** Judges every container of the engine, running or not, by its inspection. */
export const containerPosture = defineCheck({
  id: 'containerPosture',
  title: 'Every container has only the privileges it needs',
  params: z.strictObject({ rules: rulesSchema(containerRules) }),
  uses: ['containers', 'engine'],
  reasons: containerReasons,

  needs: () => [{ kind: 'socket', socket: 'engine' }],

  async subjects(_, host, signal): Promise<readonly Item[]> {
    const [containers, engine]: [readonly Container[], Engine] = await Promise.all([
      host.containers(signal),
      host.engine(signal),
    ]);
    return containers.map((container) => ({ target: container.name, container, engine }));
  },

  async examine({ target, ...judged }: Item, { rules }) {
    const needed = runtimeNeeds(judged.container);
    const found = broken(containerRules, rules, judged);
    const wrong = found.filter(({ reason }) => needed[reason] === undefined);
    const [worst, ...also] = wrong.map(({ clause, ...problem }, i) => {
      const others = wrong.filter((_, other) => other !== i).map((other) => other.clause);
      const rest = others.length > 0 ? `; it also ${others.join('; it ')}` : '';
      return { ...problem, message: `${target} ${clause}${rest}` };
    });
    if (worst) return { ...worst, also };
    const byDesign = found.flatMap(({ reason }) => needed[reason] ?? []);
    const why = byDesign.length > 0 ? `; by design ${byDesign.join(', and ')}` : '';
    return { status: 'pass', message: `${target} breaks no rule${why}` };
  },
});
