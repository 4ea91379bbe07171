import type { Dialect, Invocation } from './dialect.ts';
import { changedEnvironment } from './powershell.ts';
import { latin1ToUtf8 } from './words.ts';

const OWN_ENVIRONMENT = /^(PROMPT|PWD|OLDPWD|ERRORLEVEL|CMDCMDLINE|=.*)$/i;

/**
 * cmd.exe: folder and environment are carried; it has neither functions nor unexported variables, and its macros
 * work at a prompt only. The command is a batch file (so `%%i` in a `for`); one that ends with `exit` saves nothing.
 */
export const cmd: Dialect = {
  kind: 'cmd',
  maxArgumentBytes: -1,
  quote: (word) => (/^[\w@+=:.,/\\-]+$/.test(word) ? word : `"${word.replaceAll('"', '""')}"`),

  restoreScript: () => '',
  functionsScript: () => '',

  commandFileText: (command) =>
    [
      '@echo off',
      'chcp 65001 >nul',
      ...command.split(/\r?\n/),
      '@set "__lc_code=%ERRORLEVEL%"',
      '@if defined __lc_dump (cd & set & echo __lc_end=1) >"%__lc_dump%"',
      '@exit /b %__lc_code%',
      '',
    ].join('\r\n'),

  invocation(_command, _state, files): Invocation {
    // /d: no AutoRun; /s: the outer quotes alone are taken off.
    return {
      args: ['/d', '/s', '/c', `""${files.command ?? ''}""`],
      verbatim: true,
      env: files.dump === '' ? {} : { __lc_dump: files.dump },
    };
  },

  parseDump(dump, _previous, environment) {
    const lines = (latin1ToUtf8(dump) ?? dump).split(/\r?\n/);
    const cwd = lines.shift();
    const end = lines.indexOf('__lc_end=1');
    if (cwd === undefined || cwd === '' || end < 0) return undefined;
    const after: Record<string, string> = {};
    for (const line of lines.slice(0, end)) {
      const equals = line.indexOf('=', 1);
      if (equals > 0) after[line.slice(0, equals)] = line.slice(equals + 1);
    }
    return {
      cwd,
      environment: changedEnvironment(after, environment, OWN_ENVIRONMENT),
      variables: '',
      functions: {},
      settings: '',
      options: '',
    };
  },
};
