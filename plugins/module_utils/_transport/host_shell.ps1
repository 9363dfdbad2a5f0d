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

function Get-OwnUri {
    $name = [System.Net.Dns]::GetHostEntry([System.Net.Dns]::GetHostName()).HostName
    'http://{0}/PowerShell/' -f $name
}

function Open-ExchangeSession {
    $options = @{
        OpenTimeout = $OpenSeconds * 1000
        OperationTimeout = $CallSeconds * 1000
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

# What an error says, in the fields that are looked at. What came from Exchange has its own exception's name.
function ConvertTo-PlainError {
    param ([System.Management.Automation.ErrorRecord] $ErrorRecord)

    $exception = $ErrorRecord.Exception
    $type = $exception.GetType().FullName
    if ($exception -is [System.Management.Automation.RemoteException] -and $exception.SerializedRemoteException) {
        $type = $exception.SerializedRemoteException.PSObject.TypeNames[0] -replace '^Deserialized\.'
    }
    $code = 0
    if ($exception -is [System.Management.Automation.Remoting.PSRemotingTransportException]) {
        $code = $exception.ErrorCode
    }
    $message = $exception.Message
    if ($ErrorRecord.ErrorDetails -and $ErrorRecord.ErrorDetails.Message) {
        $message = $ErrorRecord.ErrorDetails.Message
    }
    @{ message = $message; id = $ErrorRecord.FullyQualifiedErrorId; type = $type; code = $code }
}

# The error that Exchange, or the way there, gave: PowerShell wraps what a .NET method throws into an error of its own.
function Get-FatalError {
    param ([System.Management.Automation.ErrorRecord] $Caught)

    $exception = $Caught.Exception
    while ($exception -is [System.Management.Automation.MethodInvocationException] -and $exception.InnerException) {
        $exception = $exception.InnerException
    }
    if ($exception -is [System.Management.Automation.RuntimeException]) {
        return $exception.ErrorRecord
    }
    $Caught
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

# Runs the cmdlet once. Returns what it wrote; 'lost' says why the session did not outlive it, 'ended' that the cmdlet
# could not run at all, so that there is no use in going on with the other values.
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
    $pipeline = [powershell]::Create()
    try {
        $pipeline.Runspace = $Runspace
        $null = $pipeline.AddCommand($Cmdlet).AddParameters($Parameters)
        $written, $fatal = @(), $null
        try {
            if ($InputValue.Count) {
                $objects = [System.Management.Automation.PSDataCollection[psobject]]::new()
                $objects.Add($InputValue[0])
                $objects.Complete()
                $running = $pipeline.BeginInvoke($objects)
            }
            else {
                # Not with an empty input: that is another thing for a cmdlet than none.
                $running = $pipeline.BeginInvoke()
            }
            if (-not $running.AsyncWaitHandle.WaitOne($CallSeconds * 1000)) {
                $null = $pipeline.BeginStop($null, $null).AsyncWaitHandle.WaitOne(5000)
                $answer.silent = $true
                return $answer
            }
            $written = $pipeline.EndInvoke($running).ReadAll()
        }
        catch {
            $fatal = Get-FatalError -Caught $_
        }
        foreach ($record in $written) {
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
            $is_transport = $fatal.Exception -is [System.Management.Automation.Remoting.PSRemotingTransportException]
            if ($is_transport -or $Runspace.RunspaceStateInfo.State -ne 'Opened') {
                $answer.lost = $fatal.Exception.Message
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
