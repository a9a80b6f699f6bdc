package replay

// The target before and after a run: what the capture presupposes made, and what was made
// taken away.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
	"github.com/odxray/odxray/replay/client"
)

// Stage is a tree of the target on which files are made and removed.
type Stage struct {
	o    Options
	plan *Plan
	dirs map[string]string
	conn *client.Conn
	tree *client.Tree
	Made []string // paths, in the order they were made
}

// OpenStage connects to the target.
func OpenStage(ctx context.Context, p *Plan, o Options) (*Stage, error) {
	dial := o.Dial
	if dial == nil {
		dial = client.DialTCP
	}
	ctx, stop := context.WithTimeout(ctx, o.timeOut())
	defer stop()
	t, err := dial(ctx, o.Target.Address)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be reached: %w", o.Target.Address, err)
	}
	conn, err := client.Negotiate(ctx, t, &client.Options{ServerName: o.Target.Host})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Target.Address, err)
	}
	s, err := conn.Login(ctx, o.user())
	if err == nil {
		var tree *client.Tree
		if tree, err = s.TreeConnect(ctx, `\\`+o.Target.Host+`\`+o.Target.Share); err == nil {
			return &Stage{o: o, plan: p, dirs: p.prefixes(o.Target.Dir), conn: conn, tree: tree}, nil
		}
	}
	conn.Close()
	return nil, fmt.Errorf("%s: %w", o.Target, err)
}

// Close ends the connection.
func (g *Stage) Close() {
	ctx, stop := context.WithTimeout(context.Background(), g.o.timeOut())
	defer stop()
	_ = g.tree.Session.Logoff(ctx)
	g.conn.Close()
}

// Prefix makes the target's directory, unless it is there.
func (g *Stage) Prefix(ctx context.Context) error {
	all := []string{g.o.Target.Dir}
	for _, dir := range g.dirs {
		all = append(all, dir)
	}
	slices.Sort(all)
	for _, dir := range slices.Compact(all) {
		for i := 0; i <= len(dir); i++ {
			if i == len(dir) && i > 0 || i < len(dir) && dir[i] == '\\' {
				if err := g.mkdir(ctx, dir[:i]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (g *Stage) mkdir(ctx context.Context, path string) error {
	err := g.tree.Mkdir(ctx, path)
	if status, _ := client.StatusOf(err); status == ntstatus.ObjectNameCollision {
		return nil
	}
	if err == nil {
		g.Made = append(g.Made, path)
	}
	return err
}

const (
	pieceSize  = 1 << 20
	maxPattern = 16 << 20 // bytes of a file that are filled with a pattern; the rest is a hole
)

// Prepare makes what is in the list. What is there already stays as it is, and is not
// taken for made.
func (g *Stage) Prepare(ctx context.Context, list []*Entry) error {
	if err := g.Prefix(ctx); err != nil {
		return err
	}
	for _, e := range list {
		path := joined(g.dirs[strings.ToLower(shareOf(g.plan.Slots[e.Tree].Path))], e.Path)
		if e.Directory {
			if err := g.mkdir(ctx, path); err != nil {
				return err
			}
			continue
		}
		if err := g.file(ctx, path, e); err != nil {
			return err
		}
	}
	return nil
}

// settable are the attributes that a file is given: read-only, hidden, system, archive.
const settable = 0x0001 | 0x0002 | 0x0004 | 0x0020

func (g *Stage) file(ctx context.Context, path string, e *Entry) error {
	f, err := g.tree.Open(ctx, path, &smb2.CreateRequest{
		DesiredAccess: client.ReadAccess | client.WriteAccess | client.DeleteAccess, FileAttributes: e.Attributes & settable &^ 1,
		ShareAccess: smb2.ShareRead, Disposition: smb2.CreateNew, Options: smb2.OptionNonDirectory, Impersonation: 2,
	})
	if status, _ := client.StatusOf(err); status == ntstatus.ObjectNameCollision {
		return nil
	}
	if err != nil {
		return err
	}
	g.Made = append(g.Made, path)
	err = g.fill(ctx, f, e)
	if closed := f.Close(ctx); err == nil {
		err = closed
	}
	return err
}

func (g *Stage) fill(ctx context.Context, f *client.File, e *Entry) error {
	if e.Size > 0 {
		if err := f.Truncate(ctx, e.Size); err != nil {
			return err
		}
	}
	b := make([]byte, min(pieceSize, e.Size))
	for at := uint64(0); at < min(e.Size, maxPattern); at += uint64(len(b)) {
		b = b[:min(uint64(len(b)), e.Size-at)]
		pattern(b, at)
		if _, err := f.WriteAt(ctx, b, int64(at)); err != nil {
			return err
		}
	}
	for _, k := range e.Known {
		if _, err := f.WriteAt(ctx, k.Data, int64(k.Offset)); err != nil {
			return err
		}
	}
	if e.Attributes == 0 || strings.Contains(e.Path, ":") {
		return nil
	}
	const normal, basicInformation = 0x80, 4
	attributes := e.Attributes & settable
	if attributes == 0 {
		attributes = normal // 0 would leave them as they are
	}
	return f.SetInfo(ctx, fscc.TypeFile, basicInformation, (&fscc.BasicInfo{Attributes: attributes}).Append(nil))
}

// Clean removes what was made, by this stage and by a run, and nothing else. It returns
// what could not be removed.
func (g *Stage) Clean(ctx context.Context, run []string) (left []string) {
	all := append(slices.Clone(g.Made), run...)
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(strings.ToLower(b), strings.ToLower(a)) }) // what is inside comes first
	for _, path := range slices.Compact(all) {
		if strings.Contains(path, ":") { // a stream goes with its file
			continue
		}
		err := g.remove(ctx, path)
		switch status, refused := client.StatusOf(err); {
		case err == nil, refused && (status == ntstatus.ObjectNameNotFound || status == ntstatus.ObjectPathNotFound):
		default:
			left = append(left, fmt.Sprintf("%s: %v", path, err))
		}
	}
	return left
}

// remove removes a path. A server that has just lost a connection may hold on to what was
// open on it for a moment.
func (g *Stage) remove(ctx context.Context, path string) error {
	for try := 0; ; try++ {
		err := g.tree.Remove(ctx, path)
		switch status, _ := client.StatusOf(err); status {
		case ntstatus.SharingViolation, ntstatus.DeletePending:
			if try < 50 && ctx.Err() == nil {
				time.Sleep(100 * time.Millisecond)
				continue
			}
		case 0xc0000121: // CANNOT_DELETE: // a read-only file
			if try == 0 && g.writable(ctx, path) {
				continue
			}
		}
		return err
	}
}

// writable takes a file's attribute that it is read-only away.
func (g *Stage) writable(ctx context.Context, path string) bool {
	const writeAttributes, normal, basicInformation = 0x100, 0x80, 4
	f, err := g.tree.Open(ctx, path, &smb2.CreateRequest{DesiredAccess: writeAttributes, Disposition: smb2.Open})
	if err != nil {
		return false
	}
	err = f.SetInfo(ctx, fscc.TypeFile, basicInformation, (&fscc.BasicInfo{Attributes: normal}).Append(nil))
	return f.Close(ctx) == nil && err == nil
}
