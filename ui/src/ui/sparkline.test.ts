import { expect, test } from 'vitest';

import { sparkline } from './sparkline';

test('one value is no line', () => expect(sparkline([1], 1, 60, 16)).toBeNull());
test('the newest value is at the right edge', () => expect(sparkline([0, 0], 10, 59, 16)).toBe('M58 15L59 15'));
test('nothing is a gap', () => expect(sparkline([0, null, 0], 10, 59, 16)?.match(/M/g)).toHaveLength(2));
