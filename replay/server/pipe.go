package server

import (
	"strings"

	"github.com/odxray/odxray/dissect/fscc"
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// pipe is the one named pipe: srvsvc, as far as it says what there is. rpc.go answers.
type pipe struct {
	answer []byte // what was not read yet
}

// createPipe opens a pipe of IPC$.
func (r *request) createPipe(m *smb2.CreateRequest) status {
	if !strings.EqualFold(strings.TrimPrefix(m.Name.String(), `\`), "srvsvc") {
		return ntstatus.ObjectNameNotFound
	}
	s := r.c.s
	o := &open{s: s, sess: r.sess, tree: r.tree, access: granted(m.DesiredAccess), pipe: new(pipe)}
	s.mu.Lock()
	full := s.opens >= s.cfg.Limits.Opens
	if !full {
		s.register(o)
	}
	s.mu.Unlock()
	if full {
		return ntstatus.InsufficientResources
	}
	r.chain.open, r.file = o, o
	out := smb2.CreateResponse{Action: smb2.ActionOpened, AllocationSize: clusterSize, Attributes: fscc.AttributeNormal, File: o.id}
	r.body = out.Append(nil)
	return ntstatus.Success
}

func (r *request) writePipe(o *open, b []byte) status {
	o.pipe.call(r.c.s, b)
	r.body = (&smb2.WriteResponse{Count: uint32(len(b))}).Append(nil)
	return ntstatus.Success
}

func (r *request) readPipe(o *open, most uint32) status {
	b, st := o.pipe.take(most)
	if b != nil {
		r.body = (&smb2.ReadResponse{Data: b}).Append(nil)
	}
	return st
}

// take reads up to most bytes of what the pipe has to say.
func (p *pipe) take(most uint32) ([]byte, status) {
	if len(p.answer) == 0 {
		return nil, ntstatus.PipeEmpty
	}
	n := min(len(p.answer), int(most))
	b := p.answer[:n]
	if p.answer = p.answer[n:]; len(p.answer) > 0 {
		return b, ntstatus.BufferOverflow
	}
	return b, ntstatus.Success
}

// transceive serves FSCTL_PIPE_TRANSCEIVE: a write and a read.
func (r *request) transceive(o *open, m *smb2.IoctlRequest) ([]byte, status) {
	if o.pipe == nil {
		return nil, ntstatus.InvalidDeviceRequest
	}
	o.pipe.call(r.c.s, m.InputData)
	return o.pipe.take(m.MaxOutput)
}

func (r *request) queryPipe(o *open, class fscc.FileClass, most uint32) status {
	if class != fscc.FileStandard || most < 24 {
		return ntstatus.InvalidInfoClass
	}
	info := fscc.StandardInfo{AllocationSize: clusterSize, Links: 1, DeletePending: true}
	r.body = smb2.AppendOutput(nil, info.Append(nil))
	return ntstatus.Success
}
