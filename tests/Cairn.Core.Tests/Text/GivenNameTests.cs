using Cairn.Core.Text;

namespace Cairn.Core.Tests.Text;

/// <summary>Names that people give read as nothing else, wherever they are typed or shown.</summary>
public sealed class GivenNameTests
{
    [Theory]
    [InlineData("photos", true)]
    [InlineData("été 2026", true)]
    [InlineData("me@home", true)]
    [InlineData("a-b", true)]
    [InlineData("", false)]
    [InlineData(" ", false)]
    [InlineData("x ", false)]
    [InlineData("-x", false)]
    [InlineData("@x", false)]
    [InlineData("a/b", false)]
    [InlineData("a\nb", false)]
    [InlineData("\e[31m", false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    public void A_name_is_one_word_for_people(string name, bool isValid) =>
        Assert.Equal(isValid, GivenName.IsValid(name));

    [Fact]
    public void Its_length_is_counted_in_bytes()
    {
        Assert.True(GivenName.IsValid(new string('a', GivenName.BytesMax)));
        Assert.False(GivenName.IsValid(new string('ä', GivenName.BytesMax)));
    }
}
