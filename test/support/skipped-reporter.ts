import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

/**
 * Says at the end what was skipped, once per suite. A suite that needs a program names in its title the Debian
 * package that has it: `chrony (apt-get install chrony)`.
 */
export const skippedReporter = (): Reporter => ({
  onTestRunEnd(modules) {
    const skipped = modules.flatMap((module) => skippedIn(module));
    if (skipped.length === 0) return;
    console.log(
      `\n Skipped, for want of what stands in brackets:\n${skipped.map((line) => `   ${line}\n`).join('')}`,
    );
  },
});

/** The outermost suites and tests that were skipped whole. */
function skippedIn(parent: TestModule | TestSuite): string[] {
  return parent.children.array().flatMap((child) => {
    if (allSkipped(child))
      return [`${parent.type === 'module' ? parent.relativeModuleId : fileOf(parent)}: ${child.fullName}`];
    return child.type === 'suite' ? skippedIn(child) : [];
  });
}

const fileOf = (suite: TestSuite): string => suite.module.relativeModuleId;

const allSkipped = (child: TestCase | TestSuite): boolean =>
  child.type === 'test'
    ? child.result().state === 'skipped'
    : child.children.size > 0 && child.children.array().every(allSkipped);
