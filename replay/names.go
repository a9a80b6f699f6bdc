package replay

// Names in requests: taken out, and others put in their place, with the lengths and
// offsets that depend on them.

import (
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// encode returns s in little-endian UTF-16.
func encode(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, u)
	}
	return b
}

func decode(b []byte) string { return wire.UTF16(b).String() }

// part returns n bytes of b at off, or nil if they are not all there.
func part(b []byte, off, n uint32) []byte {
	if uint64(off)+uint64(n) > uint64(len(b)) {
		return nil
	}
	return b[off : off+n]
}

// Classes of SET_INFO that hold a new name. [MS-FSCC] 2.4
const (
	renameInformation   = 10
	linkInformation     = 11
	renameInformationEx = 65
	linkInformationEx   = 72
)

// renamed returns the path that a SET_INFO gives a file; "" if it gives none.
func renamed(b []byte) string {
	name, _ := renameName(b)
	return decode(name)
}

// renameName returns the name in a FileRenameInformation or FileLinkInformation, and where
// it begins. [MS-FSCC] 2.4.42.2, 2.4.28.2
func renameName(b []byte) (name []byte, at int) {
	const body = headerSize
	if len(b) < body+32 || b[body+2] != 1 {
		return nil, 0
	}
	switch b[body+3] {
	case renameInformation, linkInformation, renameInformationEx, linkInformationEx:
	default:
		return nil, 0
	}
	at = int(le.Uint16(b[body+8:]))
	info := part(b, uint32(at), le.Uint32(b[body+4:]))
	if len(info) < 20 {
		return nil, 0
	}
	return part(info, 20, le.Uint32(info[16:])), at + 20
}

// setRename puts another name into it.
func setRename(b []byte, name string) []byte {
	old, at := renameName(b)
	if old == nil {
		return b
	}
	to := encode(name)
	info := at - 20
	out := append(slices.Clone(b[:at]), to...)
	for len(out) < info+24 { // of fixed size with the padding. [MS-FSCC] 2.4.42.2
		out = append(out, 0)
	}
	le.PutUint32(out[info+16:], uint32(len(to)))
	le.PutUint32(out[headerSize+4:], uint32(len(out)-info))
	return out
}

// createName returns the name in a CREATE. [MS-SMB2] 2.2.13
func createName(b []byte) (string, bool) {
	const body = headerSize
	if len(b) < body+56 {
		return "", false
	}
	name := part(b, uint32(le.Uint16(b[body+44:])), uint32(le.Uint16(b[body+46:])))
	return decode(name), name != nil
}

// createContexts returns the contexts of a CREATE, and where they begin.
func createContexts(b []byte) ([]byte, uint32) {
	off, n := le.Uint32(b[headerSize+48:]), le.Uint32(b[headerSize+52:])
	if n == 0 {
		return nil, 0
	}
	return part(b, off, n), off
}

// setCreate puts another name into a CREATE; its contexts move.
func setCreate(b []byte, name string) []byte {
	const body = headerSize
	contexts, _ := createContexts(b)
	out := slices.Clone(b[:body+56])
	to := encode(name)
	le.PutUint16(out[body+44:], body+56)
	le.PutUint16(out[body+46:], uint16(len(to)))
	out = append(out, to...)
	le.PutUint32(out[body+48:], 0)
	le.PutUint32(out[body+52:], 0)
	if len(contexts) > 0 {
		for len(out)%8 != 0 {
			out = append(out, 0)
		}
		le.PutUint32(out[body+48:], uint32(len(out)))
		le.PutUint32(out[body+52:], uint32(len(contexts)))
		out = append(out, contexts...)
	}
	if len(to) == 0 && len(contexts) == 0 {
		out = append(out, 0) // StructureSize counts one byte of Buffer
	}
	return out
}

// setTree puts another path into a TREE_CONNECT: the extension is left out, as it names
// identities of another server. [MS-SMB2] 2.2.9
func setTree(b []byte, path string) []byte {
	const body = headerSize
	out := slices.Clone(b[:min(len(b), body+8)])
	le.PutUint16(out[body+2:], le.Uint16(out[body+2:])&^0x0004)
	to := encode(path)
	le.PutUint16(out[body+4:], body+8)
	le.PutUint16(out[body+6:], uint16(len(to)))
	return append(out, to...)
}

// treePath returns the path in a TREE_CONNECT: \\server\share.
func treePath(b []byte) string {
	const body = headerSize
	if len(b) < body+8 {
		return ""
	}
	off, n := uint32(le.Uint16(b[body+4:])), uint32(le.Uint16(b[body+6:]))
	if le.Uint16(b[body+2:])&0x0004 != 0 { // the path follows the extension's own header
		off += body
	}
	return decode(part(b, off, n))
}

// shareOf returns the last part of \\server\share.
func shareOf(path string) string {
	return path[strings.LastIndexByte(path, '\\')+1:]
}

// isIPC reports whether a path is that of the share of named pipes.
func isIPC(path string) bool { return strings.EqualFold(shareOf(path), "IPC$") }

// ioctlInput returns where the input of an IOCTL is. [MS-SMB2] 2.2.31
func ioctlInput(b []byte) (off, n uint32) {
	const body = headerSize
	if len(b) < body+56 || smb2.Command(le.Uint16(b[12:])) != smb2.Ioctl {
		return 0, 0
	}
	return le.Uint32(b[body+24:]), le.Uint32(b[body+28:])
}

// setInput puts another input into an IOCTL.
func setInput(b, input []byte) []byte {
	const body = headerSize
	out := append(slices.Clone(b[:body+56]), input...)
	le.PutUint32(out[body+24:], body+56)
	le.PutUint32(out[body+28:], uint32(len(input)))
	le.PutUint32(out[body+36:], body+56)
	le.PutUint32(out[body+40:], 0)
	return out
}
