package client

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/dissect/wire"
)

// Tree is a share that a session is connected to.
type Tree struct {
	Session      *Session
	ID           uint32
	Path         string // \\server\share
	Type         smb2.ShareType
	Flags        uint32 // SMB2_SHAREFLAG_…
	Capabilities uint32
}

// TreeConnect connects to a share, given as \\server\share, and makes sure that nobody
// tampered with the NEGOTIATE. [MS-SMB2] 3.2.4.2.4, 3.2.5.5
func (s *Session) TreeConnect(ctx context.Context, path string) (*Tree, error) {
	m := smb2.TreeConnectRequest{Path: wire.AppendUTF16(nil, path)}
	a, err := s.must(ctx, path, &Request{Command: smb2.TreeConnect, Body: m.Append(nil)})
	if err != nil {
		return nil, err
	}
	var d smb2.Decoder
	r, ok := decode(&d, a.Message).Body.(*smb2.TreeConnectResponse)
	if !ok {
		return nil, protocolError("a TREE_CONNECT response that cannot be read")
	}
	t := &Tree{Session: s, ID: a.TreeID, Path: path, Type: r.ShareType, Flags: r.ShareFlags, Capabilities: r.Capabilities}
	return t, s.Validate(ctx, t.ID)
}

// Validate has the server repeat, signed, what it said in NEGOTIATE, where that is not
// protected otherwise: dialects 2 and 3.0 that somebody could have talked the two down
// to. It does nothing in a session without keys. [MS-SMB2] 3.2.5.14.12
func (s *Session) Validate(ctx context.Context, tree uint32) error {
	c := s.Conn
	if s.sign == nil || c.Dialect == smb2.Dialect311 || c.offered.Capabilities == 0 {
		return nil
	}
	in := smb2.ValidateNegotiateRequest{
		Capabilities: c.offered.Capabilities, ClientGUID: c.ClientGUID, SecurityMode: c.offered.SecurityMode, Dialects: c.offered.Dialects,
	}
	m := smb2.IoctlRequest{Function: fscc.ValidateNegotiate, File: smb2.FileID(nobody), MaxOutput: 24, Flags: isFSCTL, InputData: in.Append(nil)}
	a, err := s.Do(ctx, &Request{Command: smb2.Ioctl, TreeID: tree, Body: m.Append(nil)})
	if err != nil {
		return err
	}
	if a.Flags&smb2.FlagSigned == 0 && !a.Encrypted {
		return ErrDowngrade
	}
	if a.Status != ntstatus.Success { // a server that does not know the code says so, signed
		return nil
	}
	var d smb2.Decoder
	r, ok := decode(&d, a.Message).Body.(*smb2.IoctlResponse)
	if !ok {
		return ErrDowngrade
	}
	v, ok := r.Output.(*smb2.ValidateNegotiateResponse)
	if !ok || v.Capabilities != c.Capabilities || v.ServerGUID != c.ServerGUID || v.SecurityMode != c.Mode || v.Dialect != c.Dialect {
		return ErrDowngrade
	}
	return nil
}

const isFSCTL = 1

// nobody is the FileId of requests that are for no file.
var nobody = [16]byte{0: 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// Disconnect gives the share back.
func (t *Tree) Disconnect(ctx context.Context) error {
	return t.Session.ask(ctx, t.Path, &Request{Command: smb2.TreeDisconnect, TreeID: t.ID, Body: (*smb2.TreeDisconnectRequest).Append(nil, nil)})
}

// Rights of an open. [MS-SMB2] 2.2.13.1.1
const (
	ReadAccess   dtyp.AccessMask = 0x00120089 // FILE_GENERIC_READ
	WriteAccess  dtyp.AccessMask = 0x00120116 // FILE_GENERIC_WRITE
	DeleteAccess dtyp.AccessMask = 0x00010000
	ListAccess   dtyp.AccessMask = 0x00100081 // FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES, SYNCHRONIZE
)

const allShared = smb2.ShareRead | smb2.ShareWrite | smb2.ShareDelete

// File is an open file or directory.
type File struct {
	Tree *Tree
	Name string
	smb2.CreateResponse
}

// Open opens or creates what a request describes; its Name is set from name, in which a
// slash is a backslash. Impersonation and, unless set, ShareAccess are those that
// clients have.
func (t *Tree) Open(ctx context.Context, name string, m *smb2.CreateRequest) (*File, error) {
	const impersonation = 2
	name = strings.ReplaceAll(strings.Trim(name, `/\`), "/", `\`)
	q := *m
	q.Name, q.Impersonation = wire.AppendUTF16(nil, name), impersonation
	if q.ShareAccess == 0 {
		q.ShareAccess = allShared
	}
	a, err := t.Session.must(ctx, name, &Request{Command: smb2.Create, TreeID: t.ID, Body: q.Append(nil)})
	if err != nil {
		return nil, err
	}
	var d smb2.Decoder
	r, ok := decode(&d, a.Message).Body.(*smb2.CreateResponse)
	if !ok {
		return nil, protocolError("a CREATE response that cannot be read")
	}
	return &File{Tree: t, Name: name, CreateResponse: *r}, nil
}

// OpenRead opens a file that is there for reading; Create makes one, or empties one
// that is there where replace is set.
func (t *Tree) OpenRead(ctx context.Context, name string) (*File, error) {
	return t.Open(ctx, name, &smb2.CreateRequest{DesiredAccess: ReadAccess, Disposition: smb2.Open, Options: smb2.OptionNonDirectory})
}

func (t *Tree) Create(ctx context.Context, name string, replace bool) (*File, error) {
	m := smb2.CreateRequest{
		DesiredAccess: ReadAccess | WriteAccess | DeleteAccess, Disposition: smb2.CreateNew, Options: smb2.OptionNonDirectory,
		FileAttributes: 0x80, // FILE_ATTRIBUTE_NORMAL
	}
	if replace {
		m.Disposition = smb2.OverwriteIf
	}
	return t.Open(ctx, name, &m)
}

// Mkdir makes a directory.
func (t *Tree) Mkdir(ctx context.Context, name string) error {
	f, err := t.Open(ctx, name, &smb2.CreateRequest{
		DesiredAccess: ListAccess, Disposition: smb2.CreateNew, Options: smb2.OptionDirectory, FileAttributes: 0x10,
	})
	if err != nil {
		return err
	}
	return f.Close(ctx)
}

// Remove removes a file or an empty directory.
func (t *Tree) Remove(ctx context.Context, name string) error {
	f, err := t.Open(ctx, name, &smb2.CreateRequest{
		DesiredAccess: DeleteAccess, Disposition: smb2.Open, Options: smb2.OptionDeleteOnClose | smb2.OptionReparsePoint,
	})
	if err != nil {
		return err
	}
	return f.Close(ctx)
}

// ask and must are those of the session, for this file.
func (f *File) must(ctx context.Context, command smb2.Command, body []byte) (*Answer, error) {
	return f.Tree.Session.must(ctx, f.Name, &Request{Command: command, TreeID: f.Tree.ID, Body: body})
}

// Close gives the file back.
func (f *File) Close(ctx context.Context) error {
	_, err := f.must(ctx, smb2.Close, (&smb2.CloseRequest{File: f.File}).Append(nil))
	return err
}

// Flush has the server write what it caches.
func (f *File) Flush(ctx context.Context) error {
	_, err := f.must(ctx, smb2.Flush, (&smb2.FlushRequest{File: f.File}).Append(nil))
	return err
}

// most is how many bytes a READ or WRITE of this package moves: what the server takes,
// within what credits that a server grants as a rule pay for.
func (c *Conn) most(limit uint32) int {
	if !c.MultiCredit {
		limit = min(limit, 65536)
	}
	return int(min(limit, 1<<20))
}

// smaller makes do with smaller requests where a server does not grant the credits for
// larger ones.
func (f *File) smaller(ctx context.Context, most *int, err error) bool {
	const least = 65536 // for one credit
	if !errors.Is(err, ErrNoCredits) || ctx.Err() != nil || *most <= least {
		return false
	}
	*most = max(least, *most/4)
	return true
}

// ReadAt reads into p from an offset, in as many READs as it takes. It is as
// io.ReaderAt's, with a context: io.EOF where the file ends before p does.
func (f *File) ReadAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	most := f.Tree.Session.Conn.most(f.Tree.Session.Conn.MaxRead)
	for n < len(p) {
		m := smb2.ReadRequest{Padding: 0x50, Length: uint32(min(len(p)-n, most)), Offset: uint64(off) + uint64(n), File: f.File}
		a, err := f.must(ctx, smb2.Read, m.Append(nil))
		if f.smaller(ctx, &most, err) {
			continue
		}
		if status, ok := StatusOf(err); ok && status == ntstatus.EndOfFile {
			return n, io.EOF
		}
		if err != nil {
			return n, err
		}
		var d smb2.Decoder
		r, ok := decode(&d, a.Message).Body.(*smb2.ReadResponse)
		if ok && r.DataLength == 0 {
			return n, io.EOF // of servers that have no status for it
		}
		if !ok || len(r.Data) == 0 || len(r.Data) > int(m.Length) {
			return n, protocolError("a READ response of %d bytes to a request of %d", len(a.Message), m.Length)
		}
		n += copy(p[n:], r.Data)
	}
	return n, nil
}

// WriteAt writes p at an offset, in as many WRITEs as it takes.
func (f *File) WriteAt(ctx context.Context, p []byte, off int64) (n int, err error) {
	most := f.Tree.Session.Conn.most(f.Tree.Session.Conn.MaxWrite)
	for n < len(p) {
		m := smb2.WriteRequest{Offset: uint64(off) + uint64(n), File: f.File, Data: p[n:min(len(p), n+most)]}
		a, err := f.must(ctx, smb2.Write, m.Append(nil))
		if f.smaller(ctx, &most, err) {
			continue
		}
		if err != nil {
			return n, err
		}
		var d smb2.Decoder
		r, ok := decode(&d, a.Message).Body.(*smb2.WriteResponse)
		if !ok || r.Count == 0 || int(r.Count) > len(m.Data) {
			return n, protocolError("a WRITE response that cannot be")
		}
		n += int(r.Count)
	}
	return n, nil
}

// Ioctl sends a control code with its buffer and returns what comes back, of at most
// most bytes. Some refusals bring a buffer too. [MS-SMB2] 2.2.31
func (f *File) Ioctl(ctx context.Context, code fscc.Code, in []byte, most uint32) (out []byte, err error) {
	m := smb2.IoctlRequest{Function: code, File: f.File, MaxOutput: most, Flags: isFSCTL, InputData: in}
	a, err := f.must(ctx, smb2.Ioctl, m.Append(nil))
	if a == nil {
		return nil, err
	}
	var d smb2.Decoder
	if r, ok := decode(&d, a.Message).Body.(*smb2.IoctlResponse); ok {
		out = r.OutputData
	}
	return out, err
}

// QueryInfo asks for a class of information of at most most bytes.
func (f *File) QueryInfo(ctx context.Context, t fscc.InfoType, class uint8, most uint32) ([]byte, error) {
	m := smb2.QueryInfoRequest{Type: t, Class: class, OutputLength: most, File: f.File}
	a, err := f.must(ctx, smb2.QueryInfo, m.Append(nil))
	if err != nil {
		return nil, err
	}
	var d smb2.Decoder
	r, ok := decode(&d, a.Message).Body.(*smb2.QueryInfoResponse)
	if !ok {
		return nil, protocolError("a QUERY_INFO response that cannot be read")
	}
	return r.Data, nil
}

// SetInfo sets a class of information.
func (f *File) SetInfo(ctx context.Context, t fscc.InfoType, class uint8, data []byte) error {
	_, err := f.must(ctx, smb2.SetInfo, (&smb2.SetInfoRequest{Type: t, Class: class, Data: data, File: f.File}).Append(nil))
	return err
}

// Truncate makes the file as long as n bytes.
func (f *File) Truncate(ctx context.Context, n uint64) error {
	return f.SetInfo(ctx, fscc.TypeFile, uint8(fscc.FileEndOfFile), wire.AppendU64(nil, n))
}

// List returns the names in a directory that match a pattern, without . and .., in the
// server's order; at most limit of them, and an error if there are more.
func (f *File) List(ctx context.Context, pattern string, limit int) (names []string, err error) {
	flags := smb2.FindRestart
	for {
		m := smb2.QueryDirectoryRequest{Class: fscc.FileNames, Flags: flags, File: f.File, OutputLength: 65536, Pattern: wire.AppendUTF16(nil, pattern)}
		a, err := f.must(ctx, smb2.QueryDirectory, m.Append(nil))
		if status, ok := StatusOf(err); ok && (status == ntstatus.NoMoreFiles || status == ntstatus.NoSuchFile) {
			return names, nil
		}
		if err != nil {
			return names, err
		}
		flags = 0
		var d smb2.Decoder
		at := wire.New(a.Message, nil)
		r, ok := d.Decode(&at, &smb2.Context{Request: smb2.Request{InfoClass: uint8(fscc.FileNames)}}).Body.(*smb2.QueryDirectoryResponse)
		if !ok {
			return names, protocolError("a QUERY_DIRECTORY response that cannot be read")
		}
		before := len(names)
		for e := range r.All() {
			if name := e.Name.String(); name != "." && name != ".." {
				names = append(names, name)
			}
		}
		if len(names) > limit {
			return names[:limit], errors.New("the directory holds too many files")
		}
		if len(names) == before && r.Count == 0 {
			return names, protocolError("an empty listing")
		}
	}
}
