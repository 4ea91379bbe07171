import { BlockList, isIP } from 'node:net';

/**
 * Addresses that a request on behalf of somebody outside must not reach: loopback, private and link-local networks, cloud metadata, multicast,
 * and what maps onto them (the special-purpose registries of RFC 6890). A URL comes from outside; whatever answers on
 * the user's own network trusts requests from this machine.
 */
const blocked = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  blocked.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  blocked.addSubnet(network, prefix, 'ipv6');
}

/** True for an address of the public internet. IPv4 addresses inside IPv6 ones are judged as what they are. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !blocked.check(address, 'ipv4');
    case 6:
      // BlockList checks IPv4-mapped addresses (::ffff:a.b.c.d) against the IPv4 rules; the deprecated compatible
      // form (::a.b.c.d) is never public.
      return !blocked.check(address, 'ipv6') && !/^(0*:)+(:0*)*(\d+\.){3}\d+$/.test(address);
    default:
      return false;
  }
}
