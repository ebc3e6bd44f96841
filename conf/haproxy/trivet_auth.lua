-- Makes HAProxy ask Trivet whether a request may pass. HAProxy itself speaks FastCGI as a proxy only; this file speaks it as a
-- server that asks an authorizer (FastCGI 1.0, 6.3). It works from HAProxy 2.4 on.
--
--   global
--     setenv TRIVET_ADDRESS unix@/run/trivet/trivet.sock
--     lua-load-per-thread /usr/share/trivet/haproxy/trivet_auth.lua
--   backend private
--     http-request lua.trivet_auth ROUTE
--     http-request deny deny_status 500 unless { var(txn.trivet.allowed) -m str ROUTE }
--     http-response lua.trivet_cookies
--
-- trivet_auth asks the guards of the route. Who is denied gets the denial: its status, its headers, its body. Who is allowed
-- goes on: txn.trivet.allowed is ROUTE then, and txn.trivet.NAME each variable that the route declares. HAProxy also goes on
-- with a request whose Lua action failed: the second line is what stops it, so leave neither out. trivet_cookies hands out
-- the cookies of guards that allowed. Where several are asked, the variables are those of the last, the cookies all.
--
-- TRIVET_ADDRESS is as in a `server` line, and below the chroot where there is one. TRIVET_TIMEOUT is how many seconds an
-- answer may take, 60 if not set: more than Trivet's own timeouts.

local address = os.getenv("TRIVET_ADDRESS") or "unix@/run/trivet/trivet.sock"
local timeout = tonumber(os.getenv("TRIVET_TIMEOUT") or "60")

-- Of an answer, which for HAProxy has to fit into its buffer (tune.bufsize, 16 KiB). A denial with more is given without its
-- body.
local most_read = 12288

local begin_request, end_request, params, standard_in, standard_out = 1, 3, 4, 5, 6

-- Of the connection, or of a body that stays here (RFC 9110, 7.6.1).
local not_passed_on = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["keep-alive"] = true,
  ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
}

local function record(kind, content)
  return string.pack(">BBI2I2BB", 1, kind, 1, #content, 0, 0) .. content
end

-- Without the record that ends it.
local function stream(kind, content)
  local records = {}
  for at = 1, #content, 65535 do table.insert(records, record(kind, content:sub(at, at + 65534))) end
  return table.concat(records)
end

local function length(text)
  return #text < 128 and string.pack("B", #text) or string.pack(">I4", #text | 0x80000000)
end

local function pair(name, value)
  value = value == nil and "" or tostring(value)
  return length(name) .. length(value) .. name .. value
end

-- The values of one header, in order. HAProxy counts them from 0.
local function each(values)
  local at = -1
  return function()
    at = at + 1
    return values[at]
  end
end

local function question(txn, route)
  local fetch = txn.sf
  local secure = fetch:ssl_fc() == "1"
  local pairs_ = {
    pair("TRIVET_ROUTE", route), pair("TRIVET_DIALECT", "haproxy"), pair("GATEWAY_INTERFACE", "CGI/1.1"),
    pair("SERVER_SOFTWARE", "HAProxy"), pair("SERVER_PROTOCOL", "HTTP/" .. fetch:req_ver()),
    pair("SERVER_ADDR", fetch:dst()), pair("SERVER_PORT", fetch:dst_port()),
    pair("REMOTE_ADDR", fetch:src()), pair("REMOTE_PORT", fetch:src_port()),
    pair("REQUEST_METHOD", fetch:method()), pair("REQUEST_URI", fetch:url()), pair("QUERY_STRING", fetch:query()),
    pair("REQUEST_SCHEME", secure and "https" or "http"),
  }
  if secure then table.insert(pairs_, pair("HTTPS", "on")) end
  for name, values in pairs(txn.http:req_get_headers()) do
    name = name:lower()
    -- What is spelled otherwise would come under the same name as another header.
    if not not_passed_on[name] and not name:find("[^%w-]") then
      local variable = name:upper():gsub("-", "_")
      if name ~= "content-type" then variable = "HTTP_" .. variable end
      for value in each(values) do table.insert(pairs_, pair(variable, value)) end
    end
  end
  local begin = string.pack(">I2BI5", 2, 0, 0)  -- The role AUTHORIZER. Trivet closes the connection behind its answer.
  return record(begin_request, begin) .. stream(params, table.concat(pairs_)) .. record(params, "") ..
         record(standard_in, "")
end

-- That many bytes, or an error.
local function receive(link, size)
  if size == 0 then return "" end
  local bytes, why = link:receive(size)
  return bytes and #bytes == size and bytes or error("no whole answer: " .. tostring(why))
end

-- Standard output, and whether the request has ended as it should. Not more than HAProxy's buffer is read: past that its
-- sockets for scripts stand still (2.6.12).
local function output(link)
  local out, left = "", most_read
  while true do
    local version, kind, id, size, padding = string.unpack(">BBI2I2B", receive(link, 8))
    if version ~= 1 then error("this is no FastCGI") end
    left = left - 8 - size - padding
    if left < 0 then return out, false end
    local content = receive(link, size)
    receive(link, padding)
    if id == 1 and kind == standard_out then
      out = out .. content
    elseif id == 1 and kind == end_request then
      local app_status, protocol_status = string.unpack(">I4B", content)
      return out, app_status == 0 and protocol_status == 0
    end
  end
end

-- Status, list of {name, value}, body.
local function answer(text)
  local head, body = text:match("^(.-\r\n)\r\n(.*)$")
  if not head then error("no whole head") end
  local status, fields = head:match("^Status: (%d%d%d) "), {}
  for name, value in head:gmatch("([^\r\n:]+): ([^\r\n]*)\r\n") do table.insert(fields, {name, value}) end
  return tonumber(status), fields, body
end

local function ask(txn, route)
  local link = core.tcp()
  link:settimeout(timeout)
  if not link:connect(address) then error("no connection to " .. address) end
  if not link:send(question(txn, route)) then error("the question was not taken") end
  local text, has_ended = output(link)
  link:close()
  local status, fields, body = answer(text)
  if status == 200 and not has_ended then error("the request has not ended as it should") end
  return status, fields, has_ended and body or ""
end

-- Of a question before this one in the same request: nobody says them any more.
local function forget_variables(txn)
  for name in (txn:get_var("txn.trivet.variables") or ""):gmatch("[^ ]+") do txn:unset_var("txn.trivet." .. name) end
end

local function allow(txn, route, fields)
  local variables, cookies = {}, {txn:get_var("txn.trivet.cookies")}
  for _, field in ipairs(fields) do
    local variable = field[1]:match("^Variable%-(.+)$")
    if variable then
      txn:set_var("txn.trivet." .. variable, field[2])
      table.insert(variables, variable)
    elseif field[1] == "Set-Cookie" then
      table.insert(cookies, field[2])
    end
  end
  txn:set_var("txn.trivet.variables", table.concat(variables, " "))
  txn:set_var("txn.trivet.cookies", table.concat(cookies, "\n"))
  txn:set_var("txn.trivet.allowed", route)
end

local function deny(txn, status, fields, body)
  local reply = txn:reply()
  reply:set_status(status)
  for _, field in ipairs(fields) do
    local name = field[1]:lower()
    if name ~= "status" and not not_passed_on[name] then reply:add_header(field[1], field[2]) end
  end
  reply:set_body(body)
  txn:done(reply)
end

core.register_action("trivet_auth", {"http-req"}, function(txn, route)
  txn:set_var("txn.trivet.allowed", "")
  forget_variables(txn)
  local asked, status, fields, body = pcall(ask, txn, route)
  if not asked then
    core.Alert("trivet_auth: " .. tostring(status))
    status = nil
  end
  if status == 200 then
    allow(txn, route, fields)
  elseif status and status >= 300 and status <= 599 then
    deny(txn, status, fields, body)
  else
    deny(txn, 500, {}, "500 Internal Server Error\n")
  end
end, 1)

core.register_action("trivet_cookies", {"http-res"}, function(txn)
  for cookie in (txn:get_var("txn.trivet.cookies") or ""):gmatch("[^\n]+") do
    txn.http:res_add_header("Set-Cookie", cookie)
  end
end, 0)
