import { expect, test } from 'vitest';

import { Failure } from '../api/failure';
import type { Code } from '../api/generated';
import type { Refusal } from '../forge/acts.svelte';
import { commandOf, titleOf } from './refusals';

const refusal = (act: Refusal['act'], names: string[], code: Code = 'system'): Refusal => ({
  workspace: '/home/me/my shop',
  environment: 'dev',
  names,
  act,
  failure: new Failure({ code, message: 'no' }),
});

test.each([
  [refusal('stop', ['dev/api']), "forge -C '/home/me/my shop' stop dev/api"],
  [refusal('restart', ['dev']), "forge -C '/home/me/my shop' restart dev"],
  [refusal('kill', ['dev/api']), "forge -C '/home/me/my shop' kill dev/api"],
  [refusal('start', ['dev']), "forge -C '/home/me/my shop' check"],
  [refusal('start', ['dev'], 'port_conflict'), "forge -C '/home/me/my shop' check"],
  [refusal('restart', ['dev'], 'port_conflict'), "forge -C '/home/me/my shop' check"],
  [refusal('start', ['dev'], 'untrusted'), null],
  [refusal('open', ['http://localhost:3000/']), null],
])('%j has a command that helps', (refused, command) => expect(commandOf(refused)).toBe(command));

test.each([
  [refusal('stop', ['dev/api']), 'Could not stop api'],
  [refusal('open', ['http://localhost:3000/']), 'Could not open localhost:3000'],
])('%j has a title', (refused, title) => expect(titleOf(refused)).toBe(title));
