// What net/http/fcgi answers on descriptor 0.
package main

import (
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
)

func main() {
	listener, err := net.FileListener(os.NewFile(0, "listener"))
	if err != nil {
		panic(err)
	}
	panic(fcgi.Serve(listener, http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		io.Copy(io.Discard, request.Body)
		out.Header().Set("Content-Type", "text/plain")
		io.WriteString(out, "hello")
	})))
}
