package server

import (
	"strings"

	"github.com/odxray/odxray/dissect/dtyp"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// tree is a share that a session is connected to. [MS-SMB2] 3.3.1.9
type tree struct {
	id   uint32
	pipe bool // IPC$
}

// allAccess is every right to a file there is.
const allAccess dtyp.AccessMask = 0x001f01ff

// treeConnect serves TREE_CONNECT. [MS-SMB2] 3.3.5.7
func (r *request) treeConnect(m *smb2.TreeConnectRequest) status {
	x, s := r.sess, r.c.s
	path := m.Path.String()
	server, share, ok := strings.Cut(strings.TrimPrefix(path, `\\`), `\`)
	if !strings.HasPrefix(path, `\\`) || !ok || server == "" {
		return ntstatus.InvalidParameter
	}
	pipe := strings.EqualFold(share, "IPC$")
	if !pipe && !strings.EqualFold(share, s.cfg.Share) {
		r.c.logf("no share %q: there is %q", share, s.cfg.Share)
		return ntstatus.BadNetworkName
	}
	if len(x.trees) >= s.cfg.Limits.Trees {
		return ntstatus.InsufficientResources
	}
	x.nextTree++
	t := &tree{id: x.nextTree, pipe: pipe}
	x.trees[t.id] = t
	r.h.TreeID, r.chain.tid = t.id, t.id
	a := smb2.TreeConnectResponse{ShareType: smb2.ShareDisk, MaximalAccess: allAccess}
	if pipe {
		a.ShareType, a.ShareFlags = smb2.SharePipe, 0x30 // no caching
	}
	if r.sess.encrypt {
		a.ShareFlags |= 0x8000
	}
	r.body = a.Append(nil)
	return ntstatus.Success
}

// treeDisconnect serves TREE_DISCONNECT. [MS-SMB2] 3.3.5.8
func (r *request) treeDisconnect() status {
	for _, o := range r.sess.opens {
		if o.tree == r.tree {
			o.close()
		}
	}
	delete(r.sess.trees, r.tree.id)
	r.body = new(smb2.TreeDisconnectResponse).Append(nil)
	return ntstatus.Success
}
