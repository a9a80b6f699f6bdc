package wire

import (
	"encoding/binary"
	"unicode/utf16"
)

// The functions below write what Cursor reads: AppendU16, AppendU32 and AppendU64
// little-endian numbers, AppendBE16, AppendBE32 and AppendBE64 big-endian ones. They
// append to b and return it.

func AppendU16(b []byte, v uint16) []byte { return le.AppendUint16(b, v) }
func AppendU32(b []byte, v uint32) []byte { return le.AppendUint32(b, v) }
func AppendU64(b []byte, v uint64) []byte { return le.AppendUint64(b, v) }

func AppendBE16(b []byte, v uint16) []byte { return be.AppendUint16(b, v) }
func AppendBE32(b []byte, v uint32) []byte { return be.AppendUint32(b, v) }
func AppendBE64(b []byte, v uint64) []byte { return be.AppendUint64(b, v) }

// AppendZeros appends n bytes, none if n is not positive: reserved ones, or room that
// a Put fills.
func AppendZeros(b []byte, n int) []byte {
	if n <= 0 {
		return b
	}
	return append(b, make([]byte, n)...)
}

// Align appends zeros until b, counted from start, is a multiple of n bytes long.
func Align(b []byte, start, n int) []byte {
	return AppendZeros(b, (n-(len(b)-start)%n)%n)
}

// AppendUTF16 appends s as little-endian UTF-16 without a terminator. What is no UTF-8
// becomes U+FFFD.
func AppendUTF16(b []byte, s string) []byte {
	for _, r := range s {
		if r1, r2 := utf16.EncodeRune(r); r1 != '\uFFFD' {
			b = le.AppendUint16(le.AppendUint16(b, uint16(r1)), uint16(r2))
		} else {
			b = le.AppendUint16(b, uint16(r))
		}
	}
	return b
}

// PutU16, PutU32 and PutU64 write a little-endian number over the beginning of b, which
// is long enough: lengths and offsets that are known only once what follows is there.

func PutU16(b []byte, v uint16) { le.PutUint16(b, v) }
func PutU32(b []byte, v uint32) { le.PutUint32(b, v) }
func PutU64(b []byte, v uint64) { le.PutUint64(b, v) }

// GetU16, GetU32 and GetU64 read what they wrote: for whoever patches what it has written
// itself, or has peeked at bytes that are there. What nobody has looked at is read with a
// Cursor.

func GetU16(b []byte) uint16 { return le.Uint16(b) }
func GetU32(b []byte) uint32 { return le.Uint32(b) }
func GetU64(b []byte) uint64 { return le.Uint64(b) }

// GetBE16 and GetBE32 are the same for network byte order.
func GetBE16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func GetBE32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
