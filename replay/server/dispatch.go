package server

import (
	"github.com/odxray/odxray/dissect/ntstatus"
	"github.com/odxray/odxray/dissect/smb2"
)

// handle calls the handler of a request, which leaves the answer's body in r.body.
func (ch *chain) handle(r *request, m *smb2.Message) status {
	if m.Err != nil {
		return ntstatus.InvalidParameter
	}
	switch b := m.Body.(type) {
	case *smb2.NegotiateRequest:
		return r.negotiate(b)
	case *smb2.SessionSetupRequest:
		return r.sessionSetup(b)
	case *smb2.LogoffRequest:
		return r.logoff()
	case *smb2.TreeConnectRequest:
		return r.treeConnect(b)
	case *smb2.TreeDisconnectRequest:
		return r.treeDisconnect()
	case *smb2.CreateRequest:
		return r.create(b)
	case *smb2.CloseRequest:
		return r.close(b)
	case *smb2.FlushRequest:
		return r.flushFile(b)
	case *smb2.ReadRequest:
		return r.read(b)
	case *smb2.WriteRequest:
		return r.write(b)
	case *smb2.LockRequest:
		return r.lock(b)
	case *smb2.IoctlRequest:
		return r.ioctl(b)
	case *smb2.EchoRequest:
		r.body = new(smb2.EchoResponse).Append(nil)
		return ntstatus.Success
	case *smb2.QueryDirectoryRequest:
		return r.queryDirectory(b)
	case *smb2.ChangeNotifyRequest:
		return r.changeNotify(b)
	case *smb2.QueryInfoRequest:
		return r.queryInfo(b)
	case *smb2.SetInfoRequest:
		return r.setInfo(b)
	case *smb2.OplockBreakAcknowledgment:
		return r.oplockAcknowledge(b)
	case *smb2.LeaseBreakAcknowledgment:
		return r.leaseAcknowledge(b)
	}
	return ntstatus.InvalidParameter
}
