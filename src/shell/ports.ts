import { readdir, readFile, readlink } from 'node:fs/promises';
import { isLinux } from '../runtime/platform.ts';
import { listTree } from '../runtime/process-tree.ts';
import type { ManagedProcess } from './managed-process.ts';

const LISTEN = '0A';

/**
 * TCP ports that a process tree listens on, ascending. Best effort and Linux only: the sockets of /proc/net/tcp that
 * one of the tree's descriptors is. A process of another network namespace or user shows none.
 */
export async function listeningPorts(process: ManagedProcess): Promise<number[]> {
  if (!isLinux || process.pid === undefined) return [];
  const [byInode, pids] = await Promise.all([
    listeningInodes(),
    listTree({ pid: process.pid, marker: process.marker }),
  ]);
  if (byInode.size === 0) return [];
  const ports = new Set<number>();
  for (const links of await Promise.all(pids.map(descriptorTargets))) {
    for (const link of links) {
      const port = byInode.get(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? '');
      if (port !== undefined) ports.add(port);
    }
  }
  return [...ports].sort((a, b) => a - b);
}

async function listeningInodes(): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(file, 'latin1').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [, local, , state] = fields;
      const inode = fields[9];
      const port = local?.split(':')[1];
      if (state === LISTEN && inode !== undefined && port !== undefined)
        ports.set(inode, Number.parseInt(port, 16));
    }
  }
  return ports;
}

async function descriptorTargets(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  return Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
}
