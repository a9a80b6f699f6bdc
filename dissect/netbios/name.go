package netbios

import (
	"bytes"
	"encoding/hex"

	"github.com/odxray/odxray/dissect/wire"
)

// Name is a NetBIOS name as it lies on the wire: labels, of which the first holds the
// name, two letters a byte, and the others a scope. RFC 1001 14.1
type Name []byte

// encoded is the length of the first label: 16 bytes in 32 letters.
const encoded = 32

// name reads a name.
func name(c *wire.Cursor, f *wire.Field) Name {
	n := 0
	for look := c.Ahead(); look.Cause() == nil; {
		label := int(look.U8(f))
		n += 1 + label
		if label == 0 {
			break
		}
		if label > 63 || look.Pass(f, label) == nil { // RFC 1001 14.1: a pointer leads nowhere here
			break
		}
	}
	return c.Bytes(f, n)
}

// decode returns the 15 characters and the suffix that tells what the name stands for.
func (n Name) decode() (name [15]byte, suffix byte, ok bool) {
	if len(n) < 1+encoded || n[0] != encoded {
		return name, 0, false
	}
	for i := range 16 {
		high, low := n[1+2*i]-'A', n[2+2*i]-'A'
		if high > 15 || low > 15 {
			return name, 0, false
		}
		if v := high<<4 | low; i < 15 {
			name[i] = v
		} else {
			suffix = v
		}
	}
	return name, suffix, true
}

// String is the name with its suffix in hex, such as "SERVER<20>".
func (n Name) String() string { return string(n.AppendTo(nil)) }

// AppendTo appends String to b.
func (n Name) AppendTo(b []byte) []byte {
	name, suffix, ok := n.decode()
	if !ok {
		return append(b, "Illegal NetBIOS name"...)
	}
	b = append(b, bytes.TrimRight(name[:], " \x00")...)
	return append(hex.AppendEncode(append(b, '<'), []byte{suffix}), '>')
}

func showName(dst, b []byte) []byte { return Name(b).AppendTo(dst) }

func remarkName(b []byte) string {
	_, suffix, ok := Name(b).decode()
	if !ok {
		return ""
	}
	return " (" + suffixName(suffix) + ")"
}

// suffixName says what a name of that suffix stands for. [MS-NBTE] 1.8
func suffixName(v byte) string {
	switch v {
	case 0x00:
		return "Workstation/Redirector"
	case 0x01:
		return "Browser"
	case 0x03:
		return "Messenger service/Main name"
	case 0x06:
		return "RAS Server service"
	case 0x1b:
		return "Domain Master Browser"
	case 0x1c:
		return "Domain Controllers"
	case 0x1d:
		return "Local Master Browser"
	case 0x1e:
		return "Browser Election Service"
	case 0x1f:
		return "Net DDE Service"
	case 0x20:
		return "Server service"
	case 0x21:
		return "RAS client service"
	}
	return "Unknown"
}
