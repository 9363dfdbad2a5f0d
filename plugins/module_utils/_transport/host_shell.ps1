# Copyright (c) 2026, mailops.exchange contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Opens a session with Exchange from this host, runs one cmdlet in it for every value, closes it, and writes what came
# of it as JSON. A cmdlet and its parameters are objects here, never text that is read as PowerShell: a session of
# Exchange has no language (NoLanguage) and would refuse it. For Windows PowerShell 5.1 and PowerShell 7.

# win_powershell skips what does not support check mode; in check mode, nothing but looking is done (see below).
[CmdletBinding(SupportsShouldProcess)]
param (
    # Without it, this host's own: http://<its full name>/PowerShell/
    [string] $ConnectionUri,
    [Parameter(Mandatory)] [string] $ConfigurationName,
    [Parameter(Mandatory)] [string] $Authentication,
    # Without it, the user that this script runs as.
    [System.Management.Automation.PSCredential] $Credential,
    [bool] $ValidateCerts = $true,
    [int] $OpenSeconds = 30,
    [int] $CallSeconds = 180,
    # Without it, the session is opened and closed, and that is all.
    [string] $Cmdlet,
    [System.Collections.IDictionary] $Parameters = @{},
    # Each is piped into the cmdlet alone, so that what comes of it is certainly about it. Without any, none is.
    [string[]] $Values,
    # The properties to return; all of them where none is named.
    [string[]] $Property
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
$StopSeconds = 5

function Get-OwnUri {
    $name = [System.Net.Dns]::GetHostEntry([System.Net.Dns]::GetHostName()).HostName
    'http://{0}/PowerShell/' -f $name
}

function Open-ExchangeSession {
    $options = @{
        OpenTimeout = $OpenSeconds * 1000
        OperationTimeout = $CallSeconds * 1000
        # A minute otherwise, in which a server that does not answer any more keeps the whole task.
        CancelTimeout = $StopSeconds * 1000
        SkipCACheck = -not $ValidateCerts
        SkipCNCheck = -not $ValidateCerts
        SkipRevocationCheck = -not $ValidateCerts
    }
    $session = @{
        ConfigurationName = $ConfigurationName
        ConnectionUri = if ($ConnectionUri) { $ConnectionUri } else { Get-OwnUri }
        Authentication = $Authentication
        SessionOption = New-PSSessionOption @options
    }
    if ($Credential) {
        $session.Credential = $Credential
    }
    New-PSSession @session
}

# The exception that Exchange, or the way there, gave: PowerShell wraps what a .NET method throws into one of its own.
function Get-Cause {
    param ([System.Exception] $Exception)

    while ($Exception -is [System.Management.Automation.MethodInvocationException] -and $Exception.InnerException) {
        $Exception = $Exception.InnerException
    }
    $Exception
}

# Whether it was the way there: then nobody knows what Exchange did, and the session is of no use any more. This asks
# the exception itself; the one in its ErrorRecord has another type (ParentContainsErrorRecordException).
function Test-TransportFailure {
    param ([System.Exception] $Exception)

    $Exception -is [System.Management.Automation.Remoting.PSRemotingTransportException] -or
    $Exception -is [System.Management.Automation.Remoting.PSRemotingDataStructureException]
}

# What an error says, in the fields that are looked at.
function ConvertTo-PlainError {
    param ([System.Management.Automation.ErrorRecord] $ErrorRecord)

    $cause = Get-Cause -Exception $ErrorRecord.Exception
    if ($cause -ne $ErrorRecord.Exception -and $cause -is [System.Management.Automation.RuntimeException]) {
        $ErrorRecord = $cause.ErrorRecord
    }
    $code = 0
    if ($cause -is [System.Management.Automation.Remoting.PSRemotingTransportException]) {
        $code = $cause.ErrorCode
    }
    $message = $cause.Message
    if ($ErrorRecord.ErrorDetails -and $ErrorRecord.ErrorDetails.Message) {
        $message = $ErrorRecord.ErrorDetails.Message
    }
    @{ message = $message; id = $ErrorRecord.FullyQualifiedErrorId; code = $code }
}

# Text, truth values, whole numbers and lists of text as they are; of everything else, its text. The name of the type
# decides, because an enumeration comes from a session as a number with the name of its type and its text.
function ConvertTo-PlainValue {
    param ($Value)

    if ($null -eq $Value) {
        return $null
    }
    $type = $Value.PSObject.TypeNames[0]
    if ($type -eq 'System.Boolean') {
        return [bool] $Value
    }
    if ($type -in 'System.Int32', 'System.Int64', 'System.UInt32', 'System.Int16') {
        return [long] $Value
    }
    if ($Value -is [System.Collections.IEnumerable] -and $Value -isnot [string]) {
        $texts = [System.Collections.Generic.List[string]]::new()
        foreach ($item in $Value) {
            $texts.Add([string] $item)
        }
        return , $texts
    }
    [string] $Value
}

function ConvertTo-PlainRecord {
    param ($Record)

    $names = if ($Property) { $Property } else { $Record.PSObject.Properties.Name }
    $plain = [ordered] @{}
    foreach ($name in $names) {
        $found = $Record.PSObject.Properties[$name]
        $plain[$name] = if ($found) { ConvertTo-PlainValue -Value $found.Value } else { $null }
    }
    $plain
}

# Waits until the pipeline has ended. False when nothing came from it for $CallSeconds; then it was told to stop.
function Wait-Pipeline {
    param ([powershell] $Pipeline, [System.IAsyncResult] $Running, $Output)

    $streams = $Pipeline.Streams
    $heard = 0
    $silence = [System.Diagnostics.Stopwatch]::StartNew()
    while (-not $Running.AsyncWaitHandle.WaitOne(500)) {
        $written = $Output.Count + $streams.Error.Count + $streams.Warning.Count
        if ($written -ne $heard) {
            $heard = $written
            $silence.Restart()
        }
        if ($silence.Elapsed.TotalSeconds -ge $CallSeconds) {
            $null = $Pipeline.BeginStop($null, $null).AsyncWaitHandle.WaitOne($StopSeconds * 1000)
            return $false
        }
    }
    $true
}

# Runs the cmdlet once. Returns what it wrote; 'lost' says why the session did not outlive it, 'ended' that the cmdlet
# could not run to its end, so that there is no use in going on with the other values.
function Invoke-ExchangeCmdlet {
    param ([System.Management.Automation.Runspaces.Runspace] $Runspace, [object[]] $InputValue)

    $answer = @{
        records = [System.Collections.Generic.List[object]]::new()
        errors = [System.Collections.Generic.List[object]]::new()
        warnings = [System.Collections.Generic.List[string]]::new()
        domain_controller = $null
        ended = $false
        silent = $false
        lost = $null
    }
    # One that is empty and complete is no input at all to a session (the source of PowerShell: NoInput).
    $objects = [System.Management.Automation.PSDataCollection[psobject]]::new()
    foreach ($value in $InputValue) {
        $objects.Add($value)
    }
    $objects.Complete()
    $output = [System.Management.Automation.PSDataCollection[psobject]]::new()
    $pipeline = [powershell]::Create()
    try {
        $pipeline.Runspace = $Runspace
        $null = $pipeline.AddCommand($Cmdlet).AddParameters($Parameters)
        $fatal = $null
        try {
            $running = $pipeline.BeginInvoke($objects, $output)
            if (-not (Wait-Pipeline -Pipeline $pipeline -Running $running -Output $output)) {
                $answer.silent = $true
                return $answer
            }
            $null = $pipeline.EndInvoke($running)
        }
        catch {
            $fatal = $_
        }
        foreach ($record in $output.ReadAll()) {
            $server = $record.PSObject.Properties['OriginatingServer']
            if ($server -and -not $answer.domain_controller) {
                $answer.domain_controller = [string] $server.Value
            }
            $answer.records.Add((ConvertTo-PlainRecord -Record $record))
        }
        foreach ($record in $pipeline.Streams.Error.ReadAll()) {
            $answer.errors.Add((ConvertTo-PlainError -ErrorRecord $record))
        }
        foreach ($record in $pipeline.Streams.Warning.ReadAll()) {
            $answer.warnings.Add($record.Message)
        }
        if ($fatal) {
            $cause = Get-Cause -Exception $fatal.Exception
            if ((Test-TransportFailure -Exception $cause) -or $Runspace.RunspaceStateInfo.State -ne 'Opened') {
                $answer.lost = $cause.Message
            }
            else {
                $answer.ended = $true
                $answer.errors.Add((ConvertTo-PlainError -ErrorRecord $fatal))
            }
        }
        $answer
    }
    finally {
        $pipeline.Dispose()
    }
}

$answers = [System.Collections.Generic.List[object]]::new()
$result = @{ failure = $null; answers = $answers }

if ($Cmdlet -and $Cmdlet -notlike 'Get-*' -and -not $PSCmdlet.ShouldProcess($Cmdlet)) {
    throw 'In check mode nothing is run but what only looks.'
}

$session = $null
try {
    try {
        $session = Open-ExchangeSession
    }
    catch {
        $result.failure = ConvertTo-PlainError -ErrorRecord $_
    }
    if ($session -and $Cmdlet) {
        if ($PSBoundParameters.ContainsKey('Values')) {
            foreach ($value in $Values) {
                $answer = Invoke-ExchangeCmdlet -Runspace $session.Runspace -InputValue $value
                $answers.Add($answer)
                if ($answer.ended -or $answer.silent -or $answer.lost) {
                    break
                }
            }
        }
        else {
            $answers.Add((Invoke-ExchangeCmdlet -Runspace $session.Runspace -InputValue @()))
        }
    }
}
finally {
    if ($session) {
        Remove-PSSession -Session $session -WhatIf:$false -ErrorAction SilentlyContinue
    }
}

ConvertTo-Json -InputObject $result -Compress -Depth 8
