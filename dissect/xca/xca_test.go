package xca

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/rand"
	"strings"
	"testing"

	"github.com/pierrec/lz4/v4"

	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// table returns the 256 bytes of code lengths that are zero but for those given.
func table(lengths map[int]byte) []byte {
	t := make([]byte, tableSize)
	for i, b := range lengths {
		t[i] = b
	}
	return t
}

const (
	alphabet = "abcdefghijklmnopqrstuvwxyz"
	tune     = "F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\x00"
)

// The examples of [MS-XCA] 3.
func examples() map[string]struct {
	algorithm smb2.Compression
	src       []byte
	want      string
} {
	letters := table(map[int]byte{48: 0x50, 59: 0x45, 60: 0x44, 61: 0x04, 128: 4})
	copy(letters[49:59], bytes.Repeat([]byte{0x55}, 10))
	return map[string]struct {
		algorithm smb2.Compression
		src       []byte
		want      string
	}{
		"3.1 literals": {smb2.LZ77, append(unhex("3f000000"), alphabet...), alphabet},
		"3.1 match":    {smb2.LZ77, unhex("ffffff1f 61626317 000fff26 01"), strings.Repeat("abc", 100)},
		"3.2 literals": {smb2.LZ77Huffman, append(letters, unhex("d8523ed794115be9195ff9d67cdf8d0400000000")...), alphabet},
		"3.2 match": {smb2.LZ77Huffman, append(table(map[int]byte{48: 0x30, 49: 0x23, 128: 2, 143: 0x20}), unhex("a8dc0000ff2601")...),
			strings.Repeat("abc", 100)},
		"3.3": {smb2.LZNT1, unhex(`38b0884623200020 4720410010a24701 a045204400084501 507900c045200524
			138805b4024a44ef 0358028c09160148 4500be009e000401 189000`), tune},
	}
}

func TestExamples(t *testing.T) {
	for name, x := range examples() {
		got, err := Decompress([]byte("before"), x.src, x.algorithm, len(x.want))
		if err != nil || string(got) != "before"+x.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A stream that ends early, or that is said to become more, is an error, and one said
// to become less makes no more than that.
func TestDamaged(t *testing.T) {
	for name, x := range examples() {
		for n := range len(x.src) - 6 {
			if got, err := Decompress(nil, x.src[:n], x.algorithm, len(x.want)); err == nil && string(got) == x.want {
				t.Errorf("%s: the first %d bytes are enough", name, n)
			}
		}
		if _, err := Decompress(nil, x.src, x.algorithm, len(x.want)+1000); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: became 1000 bytes more: %v", name, err)
		}
		if got, _ := Decompress(nil, x.src, x.algorithm, len(x.want)-1); len(got) > len(x.want)-1 {
			t.Errorf("%s: became %d bytes, more than asked for", name, len(got))
		}
	}
	if _, err := Decompress(nil, nil, 9, 0); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("algorithm 9: %v", err)
	}
}

// samples are texts that compress well, badly and not at all.
func samples() [][]byte {
	random := make([]byte, 66000)
	rand.New(rand.NewSource(1)).Read(random)
	words := []byte(strings.Repeat("it was the best of times, it was the worst of times; ", 1300))
	return [][]byte{nil, {1}, []byte(alphabet), bytes.Repeat([]byte{0}, 70000), words, random, append(words[:65530:65530], random...)}
}

func TestRoundTrip(t *testing.T) {
	for algorithm, compress := range map[smb2.Compression]func([]byte) []byte{
		smb2.LZNT1: compressLZNT1, smb2.LZ77: compressLZ77, smb2.LZ77Huffman: compressHuffman, smb2.LZ4: compressLZ4,
	} {
		for _, want := range samples() {
			src := compress(want)
			if got, err := Decompress(nil, src, algorithm, len(want)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: %d bytes, compressed to %d, became %d: %v", algorithm, len(want), len(src), len(got), err)
			}
		}
	}
}

// header decodes a compressed message.
func header(b []byte) *smb2.CompressionHeader {
	var d smb2.Decoder
	c := wire.New(b, nil)
	return d.Compressed(&c)
}

func le32(v int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(v)) }

// payloadOf returns a link of a chain.
func payloadOf(algorithm smb2.Compression, flags byte, size int, data []byte) []byte {
	b := []byte{byte(algorithm), 0, flags, 0}
	if size > 0 {
		data = append(le32(size), data...)
	}
	return append(append(b, le32(len(data))...), data...)
}

func TestMessage(t *testing.T) {
	abc := strings.Repeat("abc", 100)
	match := unhex("ffffff1f 61626317 000fff26 01")
	unchained := bytes.Join([][]byte{unhex("fc534d42"), le32(300), unhex("0200 0000"), le32(4), []byte("head"), match}, nil)
	run := payloadOf(smb2.PatternV1, 0, 0, unhex("78000000 0a000000"))
	chain := bytes.Join([][]byte{unhex("fc534d42"), le32(4 + 300 + 10),
		payloadOf(smb2.CompressionNone, 1, 0, []byte("head")), payloadOf(smb2.LZ77, 0, 300, match), run}, nil)
	for _, x := range []struct {
		name  string
		b     []byte
		limit int
		want  string
		err   error
	}{
		{"unchained", unchained, 1000, "head" + abc, nil},
		{"unchained, too large", unchained, 303, "", ErrSize},
		{"chained", chain, 1000, "head" + abc + "xxxxxxxxxx", nil},
		{"chained, too large", chain, 313, "", ErrSize},
		{"chained, less than announced", chain[:len(chain)-len(run)], 1000, "", ErrDamaged},
		{"chained, more than announced", append(append([]byte{}, chain...), run...), 1000, "", ErrDamaged},
		{"no limit known", unchained, 0, "", ErrSize},
	} {
		got, err := Message(nil, header(x.b), x.limit)
		if !errors.Is(err, x.err) || err == nil && string(got) != x.want {
			t.Errorf("%s: %q, %v", x.name, got, err)
		}
	}
}

// A bomb costs what its message announced, and no more than the limit.
func TestBomb(t *testing.T) {
	const limit = 1 << 20
	for name, b := range map[string][]byte{
		"LZ77":    bytes.Join([][]byte{unhex("fc534d42"), le32(limit), unhex("0200 0000"), le32(0), unhex("ffffff7f 61 07000fff0000ffffffff")}, nil),
		"pattern": bytes.Join([][]byte{unhex("fc534d42"), le32(limit), payloadOf(smb2.PatternV1, 1, 0, unhex("61000000 ffffffff"))}, nil),
		"LZ4":     bytes.Join([][]byte{unhex("fc534d42"), le32(limit), unhex("0500 0000"), le32(0), bytes.Repeat([]byte{0xff}, 100)}, nil),
	} {
		got, err := Message(nil, header(b), limit)
		if err == nil || cap(got) > 2*limit {
			t.Errorf("%s: %d bytes held for %d, %v", name, cap(got), len(got), err)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, x := range examples() {
		f.Add(bytes.Join([][]byte{unhex("fc534d42"), le32(len(x.want)), {byte(x.algorithm), 0, 0, 0}, le32(0), x.src}, nil))
		f.Add(bytes.Join([][]byte{unhex("fc534d42"), le32(len(x.want)), payloadOf(x.algorithm, 1, len(x.want), x.src)}, nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 16
		if got, err := Message(nil, header(b), limit); err == nil && len(got) > limit {
			t.Errorf("%d bytes became %d", len(b), len(got))
		}
	})
}

// The compressors below find matches with what came at most 600 bytes before, which
// is enough to use every form of the streams.

// longest returns the longest match for b[at:] that begins at from or later.
func longest(b []byte, at, from, most int) (distance, length int) {
	if at+3 > len(b) {
		return 0, 0
	}
	i := bytes.LastIndex(b[max(from, at-600):min(at+2, len(b))], b[at:at+3])
	if i += max(from, at-600); i < max(from, at-600) || i >= at {
		return 0, 0
	}
	for length < most && at+length < len(b) && b[i+length] == b[at+length] {
		length++
	}
	return at - i, length
}

func compressLZNT1(b []byte) (out []byte) {
	for start := 0; start < len(b); start += chunkBytes {
		chunk := b[start:min(start+chunkBytes, len(b))]
		var body []byte
		for at := 0; at < len(chunk); {
			flag := len(body)
			body = append(body, 0)
			for i := 0; i < 8 && at < len(chunk); i++ {
				bits := 4
				for 1<<bits < at {
					bits++
				}
				d, n := longest(chunk, at, 0, 1<<(16-bits)+2)
				if n < 3 {
					body = append(body, chunk[at])
					at++
					continue
				}
				body[flag] |= 1 << i
				body = binary.LittleEndian.AppendUint16(body, uint16((d-1)<<(16-bits)|(n-3)))
				at += n
			}
		}
		head := uint16(0xb000)
		if len(body) >= len(chunk) {
			head, body = 0x3000, chunk
		}
		out = append(binary.LittleEndian.AppendUint16(out, head|uint16(len(body)-1)), body...)
	}
	return out
}

func compressLZ77(b []byte) (out []byte) {
	half := -1 // position of a byte with room for another length
	for at := 0; at < len(b); {
		flagAt, flags := len(out), uint32(0)
		out = append(out, 0, 0, 0, 0)
		for i := 31; i >= 0; i-- {
			if at == len(b) {
				flags |= 1 << i
				continue
			}
			d, n := longest(b, at, 0, 1<<17)
			if n < 3 {
				out = append(out, b[at])
				at++
				continue
			}
			at += n
			flags |= 1 << i
			n -= 3
			out = binary.LittleEndian.AppendUint16(out, uint16((d-1)<<3|min(n, 7)))
			if n -= 7; n < 0 {
				continue
			}
			if half < 0 {
				half = len(out)
				out = append(out, byte(min(n, 15)))
			} else {
				out[half] |= byte(min(n, 15)) << 4
				half = -1
			}
			if n -= 15; n >= 0 {
				out = appendLength(out, n, n+15+7)
			}
		}
		binary.LittleEndian.PutUint32(out[flagAt:], flags)
	}
	return out
}

// appendLength appends n in one byte, or whole in two or four more.
func appendLength(out []byte, n, whole int) []byte {
	switch {
	case n < 255:
		return append(out, byte(n))
	case whole < 1<<16:
		return binary.LittleEndian.AppendUint16(append(out, 255), uint16(whole))
	}
	return binary.LittleEndian.AppendUint32(append(out, 255, 0, 0), uint32(whole))
}

// compressHuffman gives every symbol a code of 9 bits.
func compressHuffman(b []byte) (out []byte) {
	for at := 0; at < len(b); {
		out = append(out, bytes.Repeat([]byte{0x99}, tableSize)...)
		first, second := len(out), len(out)+2 // where the next 16 bits go, and those after
		out = append(out, 0, 0, 0, 0)
		var word uint64
		used := 0
		put := func(v uint64, n int) {
			word, used = word<<n|v, used+n
			for used > 16 {
				used -= 16
				binary.LittleEndian.PutUint16(out[first:], uint16(word>>used))
				first, second = second, len(out)
				out = append(out, 0, 0)
			}
		}
		for end := at + blockBytes; at < min(end, len(b)); {
			d, n := longest(b, at, 0, 1<<18)
			if n < 3 {
				put(uint64(b[at]), 9)
				at++
				continue
			}
			at += n
			size := 0
			for 2<<size <= d {
				size++
			}
			n -= 3
			put(uint64(256|size<<4|min(n, 15)), 9)
			if n >= 15 {
				out = appendLength(out, n-15, n)
			}
			put(uint64(d-1<<size), size)
		}
		binary.LittleEndian.PutUint16(out[first:], uint16(word<<(16-used)))
	}
	return out
}

func compressLZ4(b []byte) []byte {
	out := make([]byte, lz4.CompressBlockBound(len(b)))
	var c lz4.Compressor
	n, err := c.CompressBlock(b, out)
	if err != nil || n == 0 && len(b) > 0 {
		panic("LZ4 does not compress")
	}
	return out[:n]
}
