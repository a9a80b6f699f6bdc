package fscc

import "github.com/odxray/odxray/dissect/wire"

// RemoteProtocolInfo is FileRemoteProtocolInformation: how a file was reached.
// [MS-FSCC] 2.4
type RemoteProtocolInfo struct {
	Version             uint16
	Size                uint16 // of this structure in bytes, as claimed
	Protocol            uint32 // 0x20000: SMB
	Major, Minor, Patch uint16 // version of the protocol
	Flags               uint32
	Specific            []byte // 64 bytes of the protocol's; aliases the message
}

var (
	remote          = fields.Section("[MS-FSCC] 2.4")
	fRemoteInfo     = remote.Struct("", "SMB2_FILE_REMOTE_PROTOCOL_INFO")
	fRemoteVersion  = remote.Uint("odx.info.remote.version", "Structure Version")
	fRemoteSize     = remote.Uint("odx.info.remote.size", "Structure Size")
	fRemoteProtocol = remote.Hex("odx.info.remote.protocol", "Protocol")
	fRemoteMajor    = remote.Uint("odx.info.remote.major", "Protocol Major Version")
	fRemoteMinor    = remote.Uint("odx.info.remote.minor", "Protocol Minor Version")
	fRemotePatch    = remote.Uint("odx.info.remote.revision", "Protocol Revision")
	fRemoteFlags    = remote.Hex("odx.info.remote.flags", "Flags").List(
		remote.Flag(0x1, "odx.info.remote.flags.loopback", "Loopback", "False", "True"),
		remote.Flag(0x2, "odx.info.remote.flags.offline", "Offline", "False", "True"),
		remote.Flag(0x4, "odx.info.remote.flags.persistent", "Persistent Handle", "False", "True"),
		remote.Flag(0x8, "odx.info.remote.flags.privacy", "Privacy", "False", "True"),
		remote.Flag(0x10, "odx.info.remote.flags.integrity", "Integrity", "False", "True"),
		remote.Flag(0x20, "odx.info.remote.flags.mutual", "Mutual Authentication", "False", "True"))
	fRemoteSpecific = remote.Bytes("odx.info.remote.specific", "Protocol Specific")
)

func (m *RemoteProtocolInfo) Decode(c *wire.Cursor) {
	defer c.Close(c.Open(fRemoteInfo))
	m.Version = c.U16(fRemoteVersion)
	m.Size = c.U16(fRemoteSize)
	m.Protocol = c.U32(fRemoteProtocol)
	m.Major = c.U16(fRemoteMajor)
	m.Minor = c.U16(fRemoteMinor)
	m.Patch = c.U16(fRemotePatch)
	c.Skip(fReserved, 2)
	m.Flags = c.U32(fRemoteFlags)
	c.Skip(fReserved, 32)
	m.Specific = c.Bytes(fRemoteSpecific, 64)
}
