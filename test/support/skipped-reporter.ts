import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

/**
 * Lists the skipped suites and tests after the run. A suite that needs a program has the way to install it in its
 * title: `chrony (apt-get install chrony)`.
 */
export const skippedReporter = (): Reporter => ({
  onTestRunEnd(modules) {
    const skipped = modules.flatMap((module) => skippedIn(module));
    if (skipped.length === 0) return;
    console.log(
      `\n Skipped; the requirements are in brackets:\n${skipped.map((line) => `   ${line}\n`).join('')}`,
    );
  },
});

/** The outermost suites and tests that were skipped completely. */
function skippedIn(parent: TestModule | TestSuite): string[] {
  return parent.children.array().flatMap((child) => {
    if (isSkipped(child))
      return [`${parent.type === 'module' ? parent.relativeModuleId : fileOf(parent)}: ${child.fullName}`];
    return child.type === 'suite' ? skippedIn(child) : [];
  });
}

const fileOf = (suite: TestSuite): string => suite.module.relativeModuleId;

const isSkipped = (child: TestCase | TestSuite): boolean =>
  child.type === 'test'
    ? child.result().state === 'skipped'
    : child.children.size > 0 && child.children.array().every(isSkipped);
