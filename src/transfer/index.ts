/** The public face of file transfer: files handed over by the chat, and files offered to it. */

export { mimeTypeOf } from './mime-type.ts';
export { FileOffers, OFFER_MS, type Offer } from './offers.ts';
export { type ReceivedFile, receiveFile } from './receive.ts';
