package inet

import "github.com/odxray/odxray/dissect/wire"

// severity is how much Wireshark makes of what it remarks on. The numbers are those
// that its filters compare with.
type severity uint64

const (
	severityChat    severity = 0x00200000
	severityNote    severity = 0x00400000
	severityWarning severity = 0x00600000
	severityError   severity = 0x00800000
)

func (s severity) String() string {
	switch s {
	case severityChat:
		return "Chat"
	case severityNote:
		return "Note"
	case severityWarning:
		return "Warning"
	}
	return "Error"
}

// group is what it is about, with the numbers of Wireshark's filters.
type group uint64

const (
	groupChecksum  group = 0x01000000
	groupSequence  group = 0x02000000
	groupMalformed group = 0x07000000
	groupProtocol  group = 0x09000000
)

func (g group) String() string {
	switch g {
	case groupChecksum:
		return "Checksum"
	case groupSequence:
		return "Sequence"
	case groupMalformed:
		return "Malformed"
	}
	return "Protocol"
}

var (
	expert    = fields.Section("")
	fExpert   = expert.Struct("_ws.expert", "Expert Info")
	fSeverity = expert.Uint("_ws.expert.severity", "Severity level").Formatted(wire.Text[severity])
	fGroup    = expert.Uint("_ws.expert.group", "Group").Formatted(wire.Text[group])
)

// remark notes f, a fault or an event, as Wireshark's "expert information". Text is
// what follows its label.
func remark(c *wire.Cursor, f *wire.Field, s severity, g group, text string) {
	said := f.Label
	if text != "" && text[0] != ' ' {
		said += ": "
	}
	said += text
	m := c.Note(fExpert, 0, " ("+s.String()+"/"+g.String()+"): "+said)
	c.Note(f, 0, text)
	c.Note(fSeverity, uint64(s), "")
	c.Note(fGroup, uint64(g), "")
	c.Close(m)
}
