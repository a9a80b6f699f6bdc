package wire

import (
	"fmt"
	"iter"
	"sync/atomic"
)

// Kind says what a field's value is, and so how it compares and prints.
type Kind uint8

const (
	KindUint      Kind = iota
	KindInt            // two's complement, as wide as its bytes
	KindBool           // usually one bit of a number
	KindEnum           // a number whose values have names
	KindBytes          // prints in hex
	KindString         // UTF-16 in the message, text in a note
	KindASCII          // UTF-8 or another 8-bit text in the message
	KindGUID           // 16 bytes, the first three groups little-endian
	KindTime           // FILETIME: 100 ns since 1601-01-01 UTC; 0 is none
	KindTimestamp      // nanoseconds since 1970-01-01 UTC
	KindDuration       // nanoseconds
	KindFrame          // number of a frame of the capture: a link
	KindAddress        // 4, 6 or 16 bytes: IPv4, Ethernet, IPv6
	KindOID            // an ASN.1 object identifier in BER, dotted; Format names it
	KindText           // bytes that Show turns into text, such as a SID
	KindStruct         // the fields read between Open and Close
)

// Field describes a field once, for every use of it: detail pane, filters, tables,
// the reference page. Two fields may share a name, as two requests share FileId.
type Field struct {
	Name  string // in filters; Wireshark's where it has one; "" if no filter names it
	Label string // what tshark -V prints before the value
	Kind  Kind
	Hex   bool   // the number prints in hex, as wide as the field
	Mask  uint64 // the bits of the number that are the field; 0 for all of it
	Spec  string // section of the specification

	// Format turns a value into text. What the text is depends on Kind: the name
	// that an Enum prints before its number, the word that a Bool prints, what a
	// Struct adds to its label, what the line of any other number or of an address
	// says in place of the bare value, such as "20 bytes (5)" for 20. That of Bytes
	// gets their number.
	Format func(uint64) string

	Scale uint8 // the value is the number on the wire times Scale; 0 counts as 1
	Width uint8 // bits of the number, if it does not fill its bytes: TCP's 12 flags; of an address, how long it is

	// Values yields the numbers of an Enum that have names, where trying all of 16 bits
	// would not find them: filters and completion take names.
	Values iter.Seq[uint64]
	Also   func(uint64) string // another name of an Enum's value: the specification's

	// Show appends the value of a Text to dst; b is its bytes, as many as were
	// gathered. Remark is what the line says of the bytes: of a Text after the value,
	// of a Struct after the rest, of Bytes instead of the value unless it is "".
	Show   func(dst, b []byte) []byte
	Remark func(b []byte) string

	Bits   []*Field // parts of the number, each with a Mask
	Listed bool     // the labels of the Bits that are set follow the number
	Brief  string   // what the line of the field above says before this one's value
	Whole  bool     // the bits that Mask selects are the value where they stand, without a picture
	Raw    bool     // a Struct whose bare value is its bytes
	Apart  bool     // only the Bits are recorded, not the number they share

	// Title is a field within a Struct, whose line begins with its value. Unlike
	// Cursor.Title it costs nothing until the line is drawn.
	Title *Field

	// Any is the fields that this one stands for: Wireshark's ip.addr is ip.src or
	// ip.dst. Such a field is never recorded itself.
	Any []*Field

	id uint32 // position in a Want
}

// ID numbers the fields of a process from 1, without gaps, for tables of them.
func (f *Field) ID() int { return int(f.id) }

// A Set is the fields of one package, in the order they are declared. The zero Set
// is ready, so a package says
//
//	var fields wire.Set
//
//	// Fields lists what this package decodes.
//	func Fields() []*wire.Field { return fields.All() }
//
// and declares its fields as variables: no init functions, no registry. Whoever
// needs the names (filters, completion, the reference page) asks the packages.
type Set struct{ list []*Field }

// All returns the fields of the set.
func (s *Set) All() []*Field { return s.list }

// Section returns the place to declare the fields of one structure: its methods
// add to s fields that name spec, such as "[MS-SMB2] 2.2.31".
func (s *Set) Section(spec string) Section { return Section{s, spec} }

// Section declares fields. Its methods take a field's name and label.
type Section struct {
	set  *Set
	spec string
}

// lastID numbers all fields of the process, so that a Want is a plain bit set.
var lastID atomic.Uint32

func (s Section) add(k Kind, name, label string) *Field {
	f := &Field{Name: name, Label: label, Kind: k, Spec: s.spec, id: lastID.Add(1)}
	s.set.list = append(s.set.list, f)
	return f
}

// One method a kind, and Hex for a Uint that prints in hex. Most structures have
// no name, for no filter asks for one.

func (s Section) Uint(name, label string) *Field      { return s.add(KindUint, name, label) }
func (s Section) Hex(name, label string) *Field       { return s.Uint(name, label).InHex() }
func (s Section) Int(name, label string) *Field       { return s.add(KindInt, name, label) }
func (s Section) Bytes(name, label string) *Field     { return s.add(KindBytes, name, label) }
func (s Section) String(name, label string) *Field    { return s.add(KindString, name, label) }
func (s Section) ASCII(name, label string) *Field     { return s.add(KindASCII, name, label) }
func (s Section) GUID(name, label string) *Field      { return s.add(KindGUID, name, label) }
func (s Section) Time(name, label string) *Field      { return s.add(KindTime, name, label) }
func (s Section) Timestamp(name, label string) *Field { return s.add(KindTimestamp, name, label) }
func (s Section) Duration(name, label string) *Field  { return s.add(KindDuration, name, label) }
func (s Section) Frame(name, label string) *Field     { return s.add(KindFrame, name, label) }
func (s Section) Address(name, label string) *Field   { return s.add(KindAddress, name, label) }
func (s Section) OID(name, label string, format func(uint64) string) *Field {
	return s.add(KindOID, name, label).Formatted(format)
}
func (s Section) Struct(name, label string) *Field { return s.add(KindStruct, name, label) }

// Text declares bytes that show turns into the value.
func (s Section) Text(name, label string, show func(dst, b []byte) []byte) *Field {
	f := s.add(KindText, name, label)
	f.Show = show
	return f
}

// Enum declares a number with names; [Text] makes format from a Stringer.
func (s Section) Enum(name, label string, format func(uint64) string) *Field {
	return s.add(KindEnum, name, label).Formatted(format)
}

// Any declares a name that filters and columns know for several fields of a kind.
func (s Section) Any(name, label string, of ...*Field) *Field {
	f := s.add(of[0].Kind, name, label)
	f.Hex, f.Width, f.Any = of[0].Hex, of[0].Width, of
	return f
}

// Flag declares the bits mask of a number as a Bool: off and on are what it prints.
func (s Section) Flag(mask uint64, name, label, off, on string) *Field {
	return s.add(KindBool, name, label).In(mask).Formatted(func(v uint64) string {
		if v != 0 {
			return on
		}
		return off
	})
}

// InHex makes the field's number print in hex.
func (f *Field) InHex() *Field { f.Hex = true; return f }

// InBrief has the line of the number or text that f lies below say f's value, too,
// after brief: "Tree Id: 0x00000001  \\server\share".
func (f *Field) InBrief(brief string) *Field { f.Brief = brief; return f }

// In makes f the bits mask of a number, which names f in Split or List.
func (f *Field) In(mask uint64) *Field { f.Mask = mask; return f }

// InWhole is In for a number that keeps its place: 0x30 of 0x830 stays 0x30.
func (f *Field) InWhole(mask uint64) *Field { f.Mask, f.Whole = mask, true; return f }

// Formatted sets Format.
func (f *Field) Formatted(format func(uint64) string) *Field { f.Format = format; return f }

// Split says which fields the number's bits are: reading f records them below it.
func (f *Field) Split(bits ...*Field) *Field { f.Bits = bits; return f }

// List is Split for a set of flags: the labels of those set follow the number.
func (f *Field) List(flags ...*Field) *Field { f.Bits, f.Listed = flags, true; return f }

// Beside is Split for numbers that merely share bytes: they are recorded as siblings,
// without a node for f.
func (f *Field) Beside(bits ...*Field) *Field { f.Bits, f.Apart = bits, true; return f }

// Times sets Scale: a length that the wire gives in units of n bytes.
func (f *Field) Times(n uint8) *Field { f.Scale = n; return f }

// AsBytes sets Raw.
func (f *Field) AsBytes() *Field { f.Raw = true; return f }

// Wide sets Width.
func (f *Field) Wide(bits uint8) *Field { f.Width = bits; return f }

// Named sets Also.
func (f *Field) Named(also func(uint64) string) *Field { f.Also = also; return f }

// Numbers makes a Values of the keys of a table of names.
func Numbers[T ~uint16 | ~uint32 | ~uint64](keys iter.Seq[T]) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		keys(func(k T) bool { return yield(uint64(k)) })
	}
}

// Among sets Values.
func (f *Field) Among(values iter.Seq[uint64]) *Field { f.Values = values; return f }

// Remarked sets Remark.
func (f *Field) Remarked(remark func(b []byte) string) *Field { f.Remark = remark; return f }

// Titled sets Title: the line of a directory entry says the entry's name.
func (f *Field) Titled(by *Field) *Field { f.Title = by; return f }

// Text is T's String method as a Format.
func Text[T interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64
	fmt.Stringer
}](v uint64) string {
	return T(v).String()
}

// The names under which Wireshark's filters find what could not be decoded.
var (
	own        Set
	failures   = own.Section("")
	fMalformed = failures.String("_ws.malformed", "Malformed Packet")
	fCut       = failures.String("_ws.short", "Packet size limited during capture")
	fPartial   = failures.Struct("smb2.truncated", "Truncated...")
)

// Fields lists the fields that this package records of itself.
func Fields() []*Field { return own.All() }
