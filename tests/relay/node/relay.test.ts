import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { faults } from '../core/suite/faults.ts';
import { isolation } from '../core/suite/isolation.ts';
import { journey } from '../core/suite/journey.ts';
import { type NodeHarness, startNode } from './harness.ts';

describe('relay on Node', () => {
  let harness: NodeHarness;
  before(async () => {
    harness = await startNode();
  });
  after(async () => {
    await harness.close();
    assert.deepEqual(harness.defects, []);
  });
  journey(() => harness);
  isolation(() => harness);
  faults(() => harness);
});
