package rpc

import (
	"bytes"
	"fmt"

	"github.com/odxray/odxray/dissect/wire"
)

// verificationSignature begins what a client may add to the arguments of a signed
// call: a copy of what the header says, which is not signed everywhere.
const verificationSignature = "\x8a\xe3\x13\x71\x02\xf4\x36\x71"

// The commands of a verification trailer. [MS-RPCE] 2.2.2.13.1
const (
	vtBitmask = 1
	vtContext = 2
	vtLast    = 0x4000
	vtMask    = 0x3fff
)

var commandNames = [...]string{"Unknown", "BITMASK_1", "PCONTEXT", "HEADER2"}

func commandName(v uint64) string {
	if v < uint64(len(commandNames)) {
		return commandNames[v]
	}
	return "Unknown"
}

var (
	verification  = fields.Section("[MS-RPCE] 2.2.2.13")
	fPayload      = verification.Struct("dcerpc.payload_stub_data", "Payload stub data").Formatted(func(n uint64) string { return fmt.Sprintf(" (%d bytes)", n) })
	fVerification = verification.Struct("", "Verification Trailer")
	fVTSignature  = verification.Bytes("dcerpc.rpc_sec_vt.signature", "SEC_VT_SIGNATURE")
	fVTItem       = verification.Struct("", "Command").Formatted(func(v uint64) string {
		name := ": " + commandName(v&vtMask)
		if v&vtLast != 0 {
			name += ", END"
		}
		return name
	})
	fVTLast    = verification.Flag(vtLast, "dcerpc.rpc_sec_vt.command.end", "SEC_VT_COMMAND_END", "False", "True")
	fVTMust    = verification.Flag(0x8000, "dcerpc.rpc_sec_vt.command.must_process", "SEC_VT_MUST_PROCESS_COMMAND", "False", "True")
	fVTCommand = verification.Hex("dcerpc.rpc_sec_vt.command", "Command").List(
		verification.Enum("dcerpc.rpc_sec_vt.command.cmd", "Cmd", commandName).InHex().In(vtMask), fVTLast, fVTMust).
		Formatted(func(v uint64) string { return fmt.Sprintf("0x%04x, Cmd: %s", v, commandName(v&vtMask)) })
	fVTLength = verification.Uint("dcerpc.rpc_sec_vt.command.length", "Length")
	fVTBits   = verification.Hex("dcerpc.rpc_sec_vt.bitmask", "rpc_sec_vt_bitmask").List(
		verification.Flag(1, "dcerpc.rpc_sec_vt.bitmask.sign", "CLIENT_SUPPORT_HEADER_SIGNING", "False", "True"))
	fVTContext        = verification.Struct("", "pcontext")
	fVTInterface      = verification.GUID("dcerpc.rpc_sec_vt.pcontext.interface.uuid", "Abstract Syntax")
	fVTKnownInterface = verification.GUID("dcerpc.rpc_sec_vt.pcontext.interface.uuid", "Abstract Syntax").Formatted(func(v uint64) string { return interfaces[v-1].title })
	fVTSyntax         = verification.GUID("dcerpc.rpc_sec_vt.pcontext.interface.uuid", "Transfer Syntax")
	fVTKnownSyntax    = verification.GUID("dcerpc.rpc_sec_vt.pcontext.interface.uuid", "Transfer Syntax").Formatted(func(v uint64) string { return syntaxes[v-1].title })
	fVTVersion        = verification.Hex("dcerpc.rpc_sec_vt.pcontext.interface.ver", "Version")
	fVTData           = verification.Bytes("dcerpc.unknown", "Unknown")
)

// verify shows the trailer that the arguments in stub may end with; c is where they
// begin. It is looked for only if somebody looks at it, and fails by itself.
func verify(c wire.Cursor, stub []byte) {
	at := bytes.LastIndex(stub, []byte(verificationSignature))
	if at < 0 || at%4 != 0 {
		return
	}
	c = c.Sub(fPayload, len(stub))
	mark := c.Open(fPayload)
	c.Title(mark, uint64(at), "")
	c.Pass(fPayload, at)
	c.Close(mark)
	defer c.Close(c.Open(fVerification))
	c.Skip(fVTSignature, len(verificationSignature))
	for last := false; !last && c.Len() > 0; {
		last = command(&c)
	}
}

// command shows a command, and reports whether it is the last.
func command(c *wire.Cursor) bool {
	mark := c.Open(fVTItem)
	v := c.U16(fVTCommand)
	data := c.Sub(fVTData, int(c.U16(fVTLength)))
	switch v & vtMask {
	case vtBitmask:
		data.U32(fVTBits)
	case vtContext:
		inner := data.Open(fVTContext)
		p := pdu{Cursor: &data}
		p.known(interfaceOf, fVTKnownInterface, fVTInterface)
		data.U32(fVTVersion)
		p.known(syntaxOf, fVTKnownSyntax, fVTSyntax)
		data.U32(fVTVersion)
		data.Close(inner)
	}
	if n := data.Len(); n > 0 {
		data.Skip(fVTData, n)
	}
	c.Join(&data)
	c.Title(mark, uint64(v), "")
	c.Close(mark)
	return v&vtLast != 0
}
