// Package captures reads capture files and writes them. It knows no protocol:
// packets go out as bytes with a number, a time, a link type and a position.
//
// # Reading
//
// [Open] tells the format by content and walks the records itself. It reads
// blocks of 256 KiB into a small ring and reads record headers in place, so a
// packet is a slice of its block; a record that straddles two blocks moves to the
// front of the second. [Reader.Next] gives one packet at a time,
// [Reader.ReadBatch] all packets of a block at once, for a pipeline whose second
// stage works while the first reads on. [Reader.At] goes back to a packet that
// was read before.
//
// Nothing is allocated per packet, and no number in a file sizes an allocation:
// a packet has at most 256 KiB, the options of a record 64 KiB, and what claims
// more is damage. A damaged or cut file gives every packet that can be read and
// then one [Error] that says where and what.
//
// # Formats
//
//   - pcap: draft-ietf-opsawg-pcap, both byte orders, microseconds and
//     nanoseconds, and the form with longer record headers that Alexey
//     Kuznetzov's libpcap wrote
//   - pcapng: draft-ietf-opsawg-pcapng, with every time resolution, several
//     sections and interfaces; blocks without packets are passed over
//   - snoop: RFC 1761
//   - ERF: Endace's extensible record format, alone and inside pcap and pcapng
//
// Each may be compressed with gzip (RFC 1952) or zstd (RFC 8878), come from
// standard input, or still grow. What can be had only once is kept in a spool if
// [Options] ask for it. Captures of other tools are refused by name, with the
// command that converts them.
//
// [Live] is packets as they come, of network interfaces or of a stream.
//
// [Merge] makes one timeline of several captures. [Writer] writes pcapng.
//
// The oracle of the tests is gopacket's pcapgo. It is not used for reading,
// because it allocates what a header claims, drops packet comments and does not
// know where in the file a packet lay.
package captures
